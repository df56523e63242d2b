import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextPartSize } from './part-size.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const ample = { budget: 4 * GIB, parts: 16 }

describe('nextPartSize()', () => {
  test('is 8 MiB to begin with', () => {
    expect(nextPartSize(ample)).toBe(8 * MIB)
  })

  test.each([
    [100_000, 1],
    [MIB, 2],
    [3 * MIB, 8],
    [8 * MIB, 8],
    [20 * MIB, 40],
    [100 * MIB, 64],
  ])('at %i bytes/s is %i MiB', (rate, mebibytes) => {
    expect(nextPartSize({ ...ample, rate })).toBe(mebibytes * MIB)
  })

  test('is kept while it takes 1–4 s', () => {
    expect(nextPartSize({ ...ample, current: 10 * MIB, rate: 10 * MIB })).toBe(10 * MIB)
    expect(nextPartSize({ ...ample, current: 10 * MIB, rate: 2.5 * MIB })).toBe(10 * MIB)
    expect(nextPartSize({ ...ample, current: 10 * MIB, rate: 2.4 * MIB })).toBe(5 * MIB)
    expect(nextPartSize({ ...ample, current: 10 * MIB, rate: 11 * MIB })).toBe(22 * MIB)
  })

  test('is at least what the source asks for, as far as the budget goes', () => {
    expect(nextPartSize({ ...ample, least: 24 * MIB })).toBe(24 * MIB)
    expect(nextPartSize({ ...ample, least: 24 * MIB, rate: 100_000 })).toBe(24 * MIB)
    expect(nextPartSize({ ...ample, least: 24 * MIB, rate: 20 * MIB })).toBe(40 * MIB)
    expect(nextPartSize({ budget: 48 * MIB, parts: 8, least: 24 * MIB })).toBe(6 * MIB)
  })

  test('prefers a multiple or a divisor of the stored part size', () => {
    expect(nextPartSize({ ...ample, storedPartSize: 5 * MIB })).toBe(10 * MIB)
    expect(nextPartSize({ ...ample, storedPartSize: 64 * MIB, rate: 9 * MIB, current: MIB })).toBe(16 * MIB)
    expect(nextPartSize({ ...ample, storedPartSize: 7 * MIB, rate: 3.3 * MIB, current: 20 * MIB })).toBe(7 * MIB)
  })

  test('takes no notice of a stored part size that nothing sensible fits', () => {
    expect(nextPartSize({ ...ample, storedPartSize: 5_000_001 })).toBe(8 * MIB)
    expect(nextPartSize({ ...ample, storedPartSize: 997 * MIB })).toBe(8 * MIB)
  })

  test('keeps parts × size within the budget', () => {
    expect(nextPartSize({ budget: 64 * MIB, parts: 16 })).toBe(4 * MIB)
    expect(nextPartSize({ budget: MIB, parts: 16 })).toBe(65_536)
    expect(nextPartSize({ budget: 10_000, parts: 16 })).toBe(4096)
  })

  test('is a multiple of 1 MiB from 1 to 64 MiB within the budget, for all that has 1 MiB per part', () => {
    const options = fc.record({
      rate: fc.option(fc.double({ min: 0, max: 1e10, noNaN: true }), { nil: undefined }),
      current: fc.option(
        fc.integer({ min: 1, max: 64 }).map(count => count * MIB),
        { nil: undefined },
      ),
      budget: fc.integer({ min: 128 * MIB, max: 8 * GIB }),
      parts: fc.integer({ min: 1, max: 128 }),
      storedPartSize: fc.option(fc.integer({ min: 1, max: 5 * GIB }), { nil: undefined }),
    })
    fc.assert(
      fc.property(options, one => {
        const size = nextPartSize(one)
        expect(size % MIB).toBe(0)
        expect(size).toBeGreaterThanOrEqual(MIB)
        expect(size).toBeLessThanOrEqual(64 * MIB)
        expect(size * one.parts).toBeLessThanOrEqual(one.budget)
      }),
    )
  })

  test('settles: with a steady rate the second size is the last', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e9, noNaN: true }), rate => {
        const current = nextPartSize({ ...ample, rate })
        expect(nextPartSize({ ...ample, rate, current })).toBe(current)
      }),
    )
  })
})
