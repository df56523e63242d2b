import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffDelayMs, RetryBudget } from './backoff.ts'

const MIB = 1024 * 1024

describe('backoffDelayMs()', () => {
  test('doubles its longest delay from 0.5 s to a cap of 30 s', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 100, 5000].map(failures => backoffDelayMs(failures, { random: () => 1 }))
    expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000])
  })

  test('spreads delays over the whole span: full jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, share) => {
          const longest = backoffDelayMs(failures, { random: () => 1 })
          expect(backoffDelayMs(failures, { random: () => share })).toBeCloseTo(share * longest)
        },
      ),
    )
  })
})

describe('RetryBudget', () => {
  const fails = (budget: RetryBudget, times: number, progressed = 0, part = 0) =>
    Array.from({ length: times }, () => budget.next({ progressed, part }))

  test('gives a part 8 retries, then none', () => {
    const delays = fails(new RetryBudget({ random: () => 1 }), 10)
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, undefined, undefined])
  })

  test('gives all parts together max(32, 2 × parts) retries', () => {
    for (const [parts, retries] of [
      [1, 32],
      [16, 32],
      [100, 200],
    ] as const) {
      const budget = new RetryBudget({ parts })
      const delays = Array.from({ length: 300 }, (_, part) => budget.next({ progressed: 0, part }))
      expect(delays.indexOf(undefined)).toBe(retries)
    }
  })

  test('grants more when the number of parts becomes known', () => {
    const budget = new RetryBudget()
    for (let part = 0; part < 32; part++) budget.next({ progressed: 0, part })
    budget.parts = 50
    expect(budget.next({ progressed: 0, part: 99 })).toBeDefined()
  })

  test('begins anew after 1 MiB of progress, also when it came in pieces', () => {
    const budget = new RetryBudget({ random: () => 1 })
    fails(budget, 8)
    expect(budget.next({ progressed: MIB })).toBe(500)
    expect(fails(budget, 3, MIB / 4).at(-1)).toBe(4000)
    expect(budget.next({ progressed: MIB / 4 })).toBe(500)
    expect(budget.failures).toBe(1)
  })

  test('counts each part by itself', () => {
    const budget = new RetryBudget({ random: () => 1 })
    fails(budget, 8, 0, 1)
    expect(budget.next({ progressed: 0, part: 2 })).toBe(500)
    expect(budget.next({ progressed: 0, part: 1 })).toBeUndefined()
  })

  test('ends for every sequence of failures: at most 9 of one part without 1 MiB between them', () => {
    const attempts = fc.array(fc.record({ progressed: fc.nat(MIB / 2), part: fc.nat(3) }), { maxLength: 200 })
    fc.assert(
      fc.property(attempts, failures => {
        const budget = new RetryBudget()
        const granted = new Map<number, number>()
        for (const attempt of failures) {
          if (budget.next(attempt) === undefined) return
          granted.set(attempt.part, (granted.get(attempt.part) ?? 0) + 1)
        }
        for (const [part, count] of granted) {
          const progressed = failures.filter(one => one.part === part).reduce((sum, one) => sum + one.progressed, 0)
          expect(count).toBeLessThanOrEqual(8 * (1 + Math.floor(progressed / MIB)) + 8)
        }
      }),
    )
  })

  test('takes other limits', () => {
    expect(fails(new RetryBudget({ perPart: 2 }), 3).at(-1)).toBeUndefined()
    expect(fails(new RetryBudget({ perPart: 9, perFile: 1 }), 2).at(-1)).toBeUndefined()
    expect(new RetryBudget({ perPart: 0 }).next({ progressed: 0 })).toBeUndefined()
  })
})
