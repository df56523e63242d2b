import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addSample, averageRate, costsRetry, isHedgeWorthy, isTooSlow, median, type RateSample } from './slow-link.ts'

/** A connection of constant speed, looked at every `everyMs`. */
function steady(bytesPerSecond: number, seconds: number, everyMs = 500): readonly RateSample[] {
  let samples: readonly RateSample[] = []
  for (let at = 0; at <= seconds * 1000; at += everyMs) {
    samples = addSample(samples, { at, bytes: (bytesPerSecond * at) / 1000 })
  }
  return samples
}

describe('averageRate()', () => {
  test('is the speed of a steady connection, for every window and way of sampling', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 100, max: 20_000 }),
        (rate, seconds, everyMs, windowMs) => {
          const samples = steady(rate, seconds, everyMs)
          fc.pre(samples.length > 1)
          const measured = averageRate(samples, samples.at(-1)!.at, windowMs)!
          expect(Math.abs(measured / rate - 1)).toBeLessThan(1e-6)
        },
      ),
    )
  })

  test('falls as a silent connection stays silent', () => {
    const samples = steady(1000, 10)
    expect(averageRate(samples, 15_000, 10_000)).toBeCloseTo(500)
    expect(averageRate(samples, 40_000, 10_000)).toBe(0)
  })

  test('is unknown without any time to measure', () => {
    expect(averageRate([], 5, 1000)).toBeUndefined()
    expect(averageRate([{ at: 5, bytes: 0 }], 5, 1000)).toBeUndefined()
  })
})

test('addSample() keeps at most 84 samples however often it is called', () => {
  expect(steady(1000, 120, 1).length).toBeLessThanOrEqual(84)
})

describe('isTooSlow()', () => {
  test('never judges before 20 s', () => {
    expect(isTooSlow(steady(0, 19), 19_999, { peers: [1e9] })).toBe(false)
    expect(isTooSlow(steady(0, 20), 20_000, { peers: [1e9] })).toBe(true)
    expect(isTooSlow([], 20_000, { peers: [1e9] })).toBe(false)
  })

  test('alone: under 1 KiB/s, or the limit given', () => {
    expect(isTooSlow(steady(1000, 30), 30_000, { peers: [] })).toBe(true)
    expect(isTooSlow(steady(1100, 30), 30_000, { peers: [] })).toBe(false)
    expect(isTooSlow(steady(1100, 30), 30_000, { peers: [], lowSpeedLimit: 2000 })).toBe(true)
    expect(isTooSlow(steady(1, 30), 30_000, { peers: [], lowSpeedLimit: 0 })).toBe(false)
  })

  test('with peers: under 5 % of their median', () => {
    const peers = [1e6, 2e6, 9e9]
    expect(isTooSlow(steady(99_000, 30), 30_000, { peers })).toBe(true)
    expect(isTooSlow(steady(101_000, 30), 30_000, { peers })).toBe(false)
  })

  test('forgets what was faster more than 20 s ago', () => {
    let samples = steady(1e6, 10)
    for (let at = 10_500; at <= 40_000; at += 500) samples = addSample(samples, { at, bytes: 1e7 })
    expect(isTooSlow(samples, 40_000, { peers: [] })).toBe(true)
  })
})

test('costsRetry() only if no peer is faster', () => {
  expect(costsRetry(10, [])).toBe(true)
  expect(costsRetry(10, [10, 5])).toBe(true)
  expect(costsRetry(10, [11, 5])).toBe(false)
})

test('isHedgeWorthy() below 20 % of the median, or after 3 s of silence', () => {
  const peers = [100, 100, 100]
  expect(isHedgeWorthy({ rate: 19, silentMs: 0 }, peers)).toBe(true)
  expect(isHedgeWorthy({ rate: 20, silentMs: 0 }, peers)).toBe(false)
  expect(isHedgeWorthy({ rate: 1000, silentMs: 3000 }, peers)).toBe(true)
  expect(isHedgeWorthy({ rate: undefined, silentMs: 2999 }, peers)).toBe(false)
  expect(isHedgeWorthy({ rate: 0, silentMs: 0 }, [])).toBe(false)
})

test('median() is the middle one, or the mean of the two in the middle', () => {
  expect([median([]), median([3]), median([9, 1, 5]), median([4, 1, 2, 9])]).toEqual([undefined, 3, 5, 3])
})
