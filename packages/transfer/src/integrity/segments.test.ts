import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSegments } from './segments.ts'

const concatenated = () => createSegments<string>((left, right) => left + right)

describe('createSegments()', () => {
  test('joins runs in the order of their bytes, whatever order they come in', () => {
    const text = 'The muleteers counted and sealed.'
    const pieces = fc
      .uniqueArray(fc.integer({ min: 1, max: text.length - 1 }))
      .map(cuts => [0, ...cuts.sort((a, b) => a - b), text.length])
      .map(cuts => cuts.slice(1).map((end, index) => ({ start: cuts[index]!, end })))
      .chain(runs => fc.shuffledSubarray(runs, { minLength: runs.length }))
    fc.assert(
      fc.property(pieces, runs => {
        const segments = concatenated()
        for (const { start, end } of runs) segments.add(start, end - start, text.slice(start, end))
        expect(segments.whole(text.length)).toMatchObject({ value: text })
        expect(segments.whole(text.length + 1)).toBeUndefined()
      }),
    )
  })

  test('is not whole with a gap', () => {
    const segments = concatenated()
    segments.add(0, 1, 'a')
    segments.add(2, 1, 'c')
    expect(segments.whole(3)).toBeUndefined()
    expect(segments.isEmpty).toBe(false)
  })

  test('refuses a byte that comes twice', () => {
    const segments = concatenated()
    segments.add(10, 10, 'x')
    for (const [start, length] of [
      [10, 10],
      [9, 2],
      [19, 5],
      [12, 3],
      [5, 30],
    ] as const) {
      expect(() => segments.add(start, length, 'y')).toThrow('each byte must come once')
    }
  })
})
