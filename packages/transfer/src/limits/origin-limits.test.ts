import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock, settle } from '../../test/manual-clock.ts'
import { createOriginLimits, type OriginLimits, type OriginLimitsOptions, type Permit } from './origin-limits.ts'

const A = 'https://a:443'
const B = 'https://b:443'

function make(options: OriginLimitsOptions = {}) {
  const clock = new ManualClock()
  return { clock, limits: createOriginLimits({ perOrigin: 16, initial: 4, clock, ...options }) }
}

/** Asks for a permit and notes under `name` when it comes. */
function ask(limits: OriginLimits, origin: string, name: string, order: string[], signal?: AbortSignal) {
  const promise = limits.acquire(origin, signal)
  promise.then(
    () => order.push(name),
    () => order.push(`${name} failed`),
  )
  return promise
}

function takeAll(limits: OriginLimits, origin: string): Permit[] {
  const permits: Permit[] = []
  for (let permit = limits.tryAcquire(origin); permit; permit = limits.tryAcquire(origin)) permits.push(permit)
  return permits
}

describe('tryAcquire()', () => {
  test('gives the initial number per origin, and the total of the process', () => {
    const { limits } = make({ total: 6 })
    expect(takeAll(limits, A).length).toBe(4)
    expect(takeAll(limits, B).length).toBe(2)
    expect(limits.inUse).toBe(6)
  })

  test('gives fewer where an origin was said to put up with fewer, never more', () => {
    const { limits } = make({ initial: 16, total: 100 })
    limits.lower(A, 3)
    limits.lower(A, 8)
    limits.lower(B, 100)
    expect(takeAll(limits, A).length).toBe(3)
    expect(takeAll(limits, B).length).toBe(16)
  })

  test('gives again what was released, and refuses a second release', () => {
    const { limits } = make({ perOrigin: 1 })
    const permit = limits.tryAcquire(A)!
    expect(limits.tryAcquire(A)).toBeUndefined()
    permit.release()
    expect(limits.tryAcquire(A)).toBeDefined()
    expect(() => permit.release()).toThrow('twice')
    expect(limits.state(A).inUse).toBe(1)
  })

  test('does not overtake who waits', async () => {
    const { limits } = make({ perOrigin: 1 })
    const [first] = takeAll(limits, A)
    const waiting = limits.acquire(A)
    first!.release()
    expect(limits.tryAcquire(A)).toBeUndefined()
    expect((await waiting).origin).toBe(A)
  })

  test('costs far less than 50 µs', () => {
    const { limits } = make()
    const started = performance.now()
    for (let i = 0; i < 20_000; i++) limits.tryAcquire(A)!.release()
    expect(performance.now() - started).toBeLessThan(500)
  })
})

describe('acquire()', () => {
  test('serves waiters of an origin in the order they asked', async () => {
    const { limits } = make({ perOrigin: 1 })
    const [held] = takeAll(limits, A)
    const order: string[] = []
    const waiting = ['1', '2', '3'].map(name => ask(limits, A, name, order))
    held!.release()
    for (const promise of waiting) (await promise).release()
    expect(order).toEqual(['1', '2', '3'])
  })

  test('gives what the process limit frees to the longest waiter of all origins', async () => {
    const { limits } = make({ total: 1 })
    const [held] = takeAll(limits, A)
    const order: string[] = []
    const waiting = [B, A, B].map((origin, i) => ask(limits, origin, `${i}`, order))
    held!.release()
    for (const promise of waiting) (await promise).release()
    expect(order).toEqual(['0', '1', '2'])
  })

  test('lets other origins pass one that is full', async () => {
    const { limits } = make({ perOrigin: 1, total: 2 })
    takeAll(limits, A)
    const order: string[] = []
    ask(limits, A, 'a', order).catch(() => {})
    await ask(limits, B, 'b', order)
    expect(order).toEqual(['b'])
  })

  test('rejects with the signal’s reason, and the next waiter is not lost', async () => {
    const { limits } = make({ perOrigin: 1 })
    const [held] = takeAll(limits, A)
    const abort = new AbortController()
    const first = limits.acquire(A, abort.signal)
    const second = limits.acquire(A)
    abort.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    held!.release()
    expect((await second).origin).toBe(A)
    await expect(limits.acquire(A, abort.signal)).rejects.toThrow('enough')
    expect(limits.state(A).waiting).toBe(0)
  })

  test('is served when the limit grows', async () => {
    const { limits } = make()
    takeAll(limits, A)
    const waiting = limits.acquire(A)
    for (let now = 0; now <= 1000; now += 100) limits.transferred(A, 1e6, now)
    expect((await waiting).origin).toBe(A)
    expect(limits.state(A).limit).toBe(6)
  })
})

describe('transferred()', () => {
  const run = (limits: OriginLimits, from: number, to: number, bytesPerSecond: (now: number) => number) => {
    for (let now = from; now < to; now += 50) limits.transferred(A, bytesPerSecond(now) / 20, now)
  }

  test('makes the limit grow to the maximum when each connection brings its share', () => {
    const { limits } = make()
    const permits = takeAll(limits, A)
    for (let now = 0; now < 20_000; now += 50) {
      permits.push(...takeAll(limits, A))
      limits.transferred(A, permits.length * 50_000, now)
    }
    expect(limits.state(A).limit).toBe(16)
  })

  test('does not make the limit grow while it is not used up', () => {
    const { limits } = make()
    limits.tryAcquire(A)
    run(limits, 0, 20_000, now => now * 1e6)
    expect(limits.state(A).limit).toBe(4)
  })

  test('does not judge a window with a pause in it', () => {
    const { limits } = make()
    takeAll(limits, A)
    run(limits, 0, 1000, () => 1e6)
    const { limit } = limits.state(A)
    takeAll(limits, A)
    limits.transferred(A, 1, 60_000)
    limits.transferred(A, 1, 120_000)
    expect(limits.state(A).limit).toBe(limit)
  })
})

describe('pushBack()', () => {
  test('halves the limit of that origin alone', () => {
    const { limits } = make()
    limits.pushBack(A)
    expect([limits.state(A).limit, limits.state(B).limit]).toEqual([2, 4])
  })

  test('holds the whole origin until then, and wakes who waits', async () => {
    const { limits, clock } = make()
    limits.pushBack(A, { until: clock.wallNow() + 5000 })
    expect(limits.tryAcquire(A)).toBeUndefined()
    expect(limits.tryAcquire(B)).toBeDefined()
    expect(clock.sleeping).toBe(0)
    const order: string[] = []
    for (const name of ['1', '2', '3']) ask(limits, A, name, order)
    expect(clock.sleeping).toBe(1)
    await clock.advance(4999)
    expect(order).toEqual([])
    await clock.advance(1)
    expect(order).toEqual(['1', '2'])
    expect(clock.sleeping).toBe(0)
  })

  test('an earlier time does not shorten a hold, a later one prolongs it', async () => {
    const { limits, clock } = make()
    const order: string[] = []
    limits.pushBack(A, { until: clock.wallNow() + 5000 })
    ask(limits, A, '1', order)
    limits.pushBack(A, { until: clock.wallNow() + 1000 })
    limits.pushBack(A, { until: clock.wallNow() + 8000 })
    expect(limits.state(A).heldMs).toBe(8000)
    await clock.advance(7999)
    expect(order).toEqual([])
    await clock.advance(1)
    expect(order).toEqual(['1'])
  })

  test('a hold ends with the abort of who waits, and with close(), without a timer left', async () => {
    const { limits, clock } = make()
    limits.pushBack(A, { until: clock.wallNow() + 5000 })
    const abort = new AbortController()
    const aborted = limits.acquire(A, abort.signal)
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect(clock.sleeping).toBe(0)
    const closed = limits.acquire(A)
    limits.close()
    await expect(closed).rejects.toMatchObject({ code: 'Cancelled' })
    expect(clock.sleeping).toBe(0)
  })
})

test('close() rejects waiters and lets permits be released', async () => {
  const { limits } = make({ perOrigin: 1 })
  const [held] = takeAll(limits, A)
  const waiting = limits.acquire(A)
  limits.close()
  await expect(waiting).rejects.toMatchObject({ code: 'Cancelled' })
  await expect(limits.acquire(B)).rejects.toMatchObject({ code: 'Cancelled' })
  held!.release()
  expect([limits.inUse, limits.tryAcquire(A)]).toEqual([0, undefined])
})

test('no limit is ever exceeded and nobody waits while there is room, for any order of events', async () => {
  const origin = fc.constantFrom(A, B, 'https://c:443')
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('acquire' as const), origin }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), index: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), index: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('push back' as const), origin, ms: fc.nat(2000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3000) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 100 }), async events => {
      const { limits, clock } = make({ perOrigin: 3, initial: 3, total: 5 })
      const permits: Permit[] = []
      const aborts: AbortController[] = []
      let asked = 0
      let aborted = 0
      for (const one of events) {
        if (one.kind === 'acquire') {
          const abort = new AbortController()
          aborts.push(abort)
          asked++
          limits.acquire(one.origin, abort.signal).then(
            permit => permits.push(permit),
            () => aborted++,
          )
        } else if (one.kind === 'release') permits.splice(one.index % Math.max(1, permits.length), 1)[0]?.release()
        else if (one.kind === 'abort') aborts[one.index % Math.max(1, aborts.length)]?.abort()
        else if (one.kind === 'push back') limits.pushBack(one.origin, { until: clock.wallNow() + one.ms })
        else await clock.advance(one.ms)
        await settle()
        const states = [A, B, 'https://c:443'].map(name => limits.state(name))
        expect(limits.inUse).toBe(permits.length)
        expect(limits.inUse).toBeLessThanOrEqual(5)
        expect(states.reduce((sum, state) => sum + state.inUse, 0)).toBe(limits.inUse)
        for (const state of states) {
          const hasRoom = state.inUse < state.limit && limits.inUse < 5 && state.heldMs === 0
          expect(state.waiting === 0 || !hasRoom).toBe(true)
        }
      }
      for (let i = 0; i < 200 && (permits.length > 0 || clock.sleeping > 0); i++) {
        permits.pop()?.release()
        await clock.advance(100)
      }
      const waiting = [A, B, 'https://c:443'].map(name => limits.state(name).waiting)
      expect(waiting).toEqual([0, 0, 0])
      expect(asked).toBeGreaterThanOrEqual(aborted)
    }),
    { numRuns: 60 },
  )
})
