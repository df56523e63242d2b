import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gaps, planParts, total } from './plan.ts'

describe('planParts()', () => {
  test('tiles any size with parts of the size asked for, the last one shorter, none empty', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 100, max: 30_000 }), (size, partSize) => {
        const parts = planParts(size, partSize)
        expect(parts.length).toBe(Math.ceil(size / partSize))
        let at = 0
        for (const [index, { start, end }] of parts.entries()) {
          expect(start).toBe(at)
          expect(end - start).toBe(index === parts.length - 1 ? size - start : partSize)
          expect(end).toBeGreaterThan(start)
          at = end
        }
        expect(at).toBe(size)
      }),
    )
  })

  test('counts right beyond 4 GiB', () => {
    const size = 2 ** 32 + 1
    expect(planParts(size, 2 ** 31)).toEqual([
      { start: 0, end: 2 ** 31 },
      { start: 2 ** 31, end: 2 ** 32 },
      { start: 2 ** 32, end: size },
    ])
  })

  test.each([0, -1, Number.NaN])('refuses parts of %s bytes', partSize => {
    expect(() => planParts(10, partSize)).toThrow(RangeError)
  })
})

describe('gaps()', () => {
  const range = fc.tuple(fc.nat(60), fc.nat(20)).map(([start, length]) => ({ start, end: start + length }))

  test('is exactly what is not held: ascending, not empty, never touching', () => {
    fc.assert(
      fc.property(range, fc.array(range, { maxLength: 8 }), (whole, held) => {
        const found = gaps(whole, held)
        const isHeld = (byte: number) => held.some(({ start, end }) => byte >= start && byte < end)
        for (let byte = 0; byte < 100; byte++) {
          const isWanted = byte >= whole.start && byte < whole.end && !isHeld(byte)
          expect(found.filter(({ start, end }) => byte >= start && byte < end)).toHaveLength(isWanted ? 1 : 0)
        }
        for (const [index, gap] of found.entries()) {
          expect(gap.end).toBeGreaterThan(gap.start)
          const next = found[index + 1]
          if (next) expect(next.start).toBeGreaterThan(gap.end)
        }
      }),
    )
  })

  test('total() adds up ranges', () => {
    expect(total([])).toBe(0)
    expect(
      total([
        { start: 3, end: 5 },
        { start: 10, end: 11 },
      ]),
    ).toBe(3)
  })
})
