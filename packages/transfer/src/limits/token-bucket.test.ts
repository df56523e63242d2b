import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock, settle } from '../../test/manual-clock.ts'
import { createBandwidth } from './bandwidth.ts'
import { createTokenBucket } from './token-bucket.ts'

function make(rate: number | undefined, burstMs = 250) {
  const clock = new ManualClock()
  return { clock, bucket: createTokenBucket({ rate, burstMs, clock }) }
}

describe('createTokenBucket()', () => {
  test('without a rate lets everything pass at once', () => {
    const { bucket } = make(undefined)
    expect(bucket.take(1e12)).toBeUndefined()
  })

  test('lets a burst pass at once, then makes takers wait for the exact average', async () => {
    const { bucket, clock } = make(1000)
    expect(bucket.take(250)).toBeUndefined()
    const waiting = bucket.take(500)!
    let isDone = false
    waiting.then(() => (isDone = true))
    await clock.advance(1)
    expect(isDone).toBe(true)
    const next = bucket.take(1)!
    isDone = false
    next.then(() => (isDone = true))
    await clock.advance(499)
    expect(isDone).toBe(false)
    await clock.advance(2)
    expect(isDone).toBe(true)
  })

  test('a take larger than the burst passes, and its debt is paid before the next', async () => {
    const { bucket, clock } = make(1000)
    expect(bucket.take(10_250)).toBeUndefined()
    const next = bucket.take(1)
    let waitedMs = 0
    next!.then(() => (waitedMs = clock.now()))
    while (await clock.advanceToNext());
    expect(waitedMs).toBeGreaterThanOrEqual(10_000)
    expect(waitedMs).toBeLessThan(10_010)
  })

  test('setRate() holds at once for those who wait; undefined lets them go', async () => {
    const { bucket, clock } = make(1)
    bucket.take(1000)
    const waiting = bucket.take(1)
    bucket.setRate(1_000_000)
    await clock.advance(3)
    await waiting
    bucket.take(1e9)
    const next = bucket.take(1)
    bucket.setRate(undefined)
    await next
    expect([bucket.rate, clock.sleeping]).toEqual([undefined, 0])
  })

  test('old debt does not outlive its cap', async () => {
    const { bucket, clock } = make(1000)
    bucket.take(1e9)
    bucket.setRate(undefined)
    bucket.setRate(1000)
    await clock.advance(2)
    expect(bucket.take(1)).toBeUndefined()
  })

  test('an aborted taker takes nothing and leaves no timer', async () => {
    const { bucket, clock } = make(1000)
    bucket.take(1000)
    const abort = new AbortController()
    const waiting = bucket.take(1e9, abort.signal)
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(clock.sleeping).toBe(0)
    await clock.advance(1000)
    expect(bucket.take(1)).toBeUndefined()
    await expect(bucket.take(1, abort.signal)).rejects.toThrow('enough')
  })

  test('close() lets waiters go on', async () => {
    const { bucket, clock } = make(1)
    bucket.take(1000)
    const waiting = bucket.take(1)
    bucket.close()
    await waiting
    expect(clock.sleeping).toBe(0)
  })

  test('refuses a rate that would never let anything pass', () => {
    expect(() => make(0)).toThrow(RangeError)
    expect(() => make(10).bucket.setRate(-1)).toThrow(RangeError)
  })

  test('serves in order, loses nobody, and never passes more than rate × t + burst + one take', async () => {
    const takes = fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 5000 }), pauseMs: fc.nat(300) }), {
      maxLength: 60,
    })
    await fc.assert(
      fc.asyncProperty(takes, fc.integer({ min: 100, max: 100_000 }), async (list, rate) => {
        const { bucket, clock } = make(rate)
        const passed: { index: number; bytes: number; at: number }[] = []
        for (const [index, { bytes, pauseMs }] of list.entries()) {
          const pass = () => passed.push({ index, bytes, at: clock.now() })
          const waiting = bucket.take(bytes)
          if (waiting) waiting.then(pass)
          else pass()
          await clock.advance(pauseMs)
        }
        while (await clock.advanceToNext());
        await settle()
        expect(passed.map(one => one.index)).toEqual(list.map((_, index) => index))
        const largest = Math.max(0, ...list.map(one => one.bytes))
        for (let from = 0; from < passed.length; from++) {
          let sum = 0
          for (let to = from; to < passed.length; to++) {
            sum += passed[to]!.bytes
            const seconds = (passed[to]!.at - passed[from]!.at) / 1000
            expect(sum).toBeLessThanOrEqual(rate * (seconds + 0.25) + 2 * largest + 1)
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('createBandwidth()', () => {
  test('lets bytes pass the origin’s cap and the total one', async () => {
    const clock = new ManualClock()
    const bandwidth = createBandwidth({ total: 2000, perOrigin: 1000, clock })
    const finished: Record<string, number> = {}
    const run = async (origin: string) => {
      for (let i = 0; i < 100; i++) await bandwidth.take(origin, 100)
      finished[origin] = clock.now()
    }
    const all = [run('a'), run('b'), run('c')]
    while (await clock.advanceToNext());
    await Promise.all(all)
    // 30,000 bytes at 2000 bytes/s, of which no origin had more than 1000 bytes/s.
    expect(Math.max(...Object.values(finished))).toBeGreaterThan(14_000)
    expect(Math.max(...Object.values(finished))).toBeLessThan(16_500)
    expect(Math.min(...Object.values(finished))).toBeGreaterThan(9_500)
  })

  test('takes other rates while running, for all or for one origin', async () => {
    const clock = new ManualClock()
    const bandwidth = createBandwidth({ clock })
    expect(bandwidth.take('a', 1e9)).toBeUndefined()
    bandwidth.setOrigin('a', 1000)
    bandwidth.take('a', 1000)
    await clock.advance(1)
    bandwidth.take('a', 1e6)
    expect(bandwidth.take('a', 1)).toBeDefined()
    expect(bandwidth.take('b', 1e9)).toBeUndefined()
    bandwidth.setTotal(1000)
    await clock.advance(1)
    bandwidth.take('b', 1e6)
    expect(bandwidth.take('b', 1)).toBeDefined()
    bandwidth.close()
    expect(bandwidth.take('a', 1e9)).toBeUndefined()
    await settle()
    expect(clock.sleeping).toBe(0)
  })
})
