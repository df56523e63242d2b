import { describe, expect, test } from 'vitest'
import { firstRange, wantedEnd } from './wanted.ts'

describe('wantedEnd()', () => {
  test.each([
    [undefined, undefined, undefined],
    [undefined, 10, 10],
    [{ start: 2, end: 8 }, undefined, 8],
    [{ start: 2, end: 8 }, 10, 8],
    [{ start: 2, end: 80 }, 10, 10],
  ])('of %j and %j bytes is %j', (range, size, end) => {
    expect(wantedEnd(range, size)).toBe(end)
  })
})

describe('firstRange()', () => {
  test('is one part of the first gap', () => {
    expect(firstRange({ start: 0, end: Number.POSITIVE_INFINITY }, [], 4)).toEqual({ start: 0, end: 4 })
    expect(firstRange({ start: 2, end: 20 }, [{ start: 2, end: 6 }], 4)).toEqual({ start: 6, end: 10 })
    const held = [
      { start: 0, end: 3 },
      { start: 5, end: 20 },
    ]
    expect(firstRange({ start: 0, end: 20 }, held, 4)).toEqual({ start: 3, end: 5 })
  })

  test('is a byte where nothing is missing: its answer tells size and version', () => {
    expect(firstRange({ start: 0, end: 20 }, [{ start: 0, end: 20 }], 4)).toEqual({ start: 0, end: 1 })
  })
})
