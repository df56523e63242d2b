import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Slot, Slots } from './slots.ts'

const PAGE = 4096
const BUDGET = 16 * PAGE

/** Slots whose pieces never overlap, whatever is done with them. */
function expectApart(slots: Slots, live: readonly Slot[]): void {
  const sorted = live.toSorted((a, b) => a.address - b.address)
  for (const [index, slot] of sorted.entries()) {
    expect(slot.address % PAGE).toBe(0)
    expect(slot.bytes.byteOffset).toBe(slot.address)
    expect(slot.bytes.length).toBe(slot.length)
    const next = sorted[index + 1]
    if (next) expect(slot.address + slot.length).toBeLessThanOrEqual(next.address)
  }
  expect(slots.reserved).toBeLessThanOrEqual(slots.budget)
}

/** Lets promises settle. */
const turn = () => new Promise(resolve => setImmediate(resolve))

describe('Slots', () => {
  test('keeps live slots apart and within the budget, and ends as one free extent, for any order of events', async () => {
    const event = fc.oneof(
      fc.record({ do: fc.constant('try' as const), length: fc.integer({ min: 1, max: BUDGET }) }),
      fc.record({ do: fc.constant('wait' as const), length: fc.integer({ min: 1, max: BUDGET }) }),
      fc.record({ do: fc.constant('release' as const), index: fc.nat(30) }),
      fc.record({
        do: fc.constant('trim' as const),
        index: fc.nat(30),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({ do: fc.constant('abort' as const), index: fc.nat(30) }),
    )
    const property = fc.asyncProperty(fc.array(event, { maxLength: 40 }), async events => {
      const slots = new Slots({ budget: BUDGET })
      const live: Slot[] = []
      const waiting: { readonly abort: AbortController; isOver: boolean }[] = []
      for (const one of events) {
        if (one.do === 'try') {
          const slot = slots.tryReserve(one.length)
          if (slot) live.push(slot)
        } else if (one.do === 'wait') {
          const waiter = { abort: new AbortController(), isOver: false }
          waiting.push(waiter)
          slots.reserve(one.length, waiter.abort.signal).then(
            slot => {
              waiter.isOver = true
              expect(slot.length).toBe(one.length)
              live.push(slot)
            },
            () => {
              waiter.isOver = true
            },
          )
        } else if (one.do === 'release') live.splice(one.index % Math.max(1, live.length), 1)[0]?.release()
        else if (one.do === 'trim') {
          const slot = live[one.index % Math.max(1, live.length)]
          slot?.trim(Math.max(1, Math.floor(slot.length * one.share)))
        } else waiting[one.index % Math.max(1, waiting.length)]?.abort.abort()
        await turn()
        expectApart(slots, live)
      }
      // Whoever still waits is served once the others are done.
      while (live.length > 0) {
        live.pop()?.release()
        await turn()
      }
      expect(waiting.every(({ isOver }) => isOver)).toBe(true)
      expect(slots.reserved).toBe(0)
      const whole = slots.tryReserve(BUDGET)
      expect(whole?.address).toBe(0)
    })
    await fc.assert(property, { numRuns: 200, verbose: 1 })
  })

  test('never lends the same byte twice', () => {
    const slots = new Slots({ budget: BUDGET })
    const a = slots.tryReserve(PAGE + 1) as Slot
    const b = slots.tryReserve(PAGE) as Slot
    a.bytes.fill(1)
    b.bytes.fill(2)
    expect(a.bytes.every(byte => byte === 1)).toBe(true)
    expect(b.address).toBe(2 * PAGE)
  })

  test('joins what is given back, whatever the order', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [0, 2, 1],
      [1, 0, 2],
    ]) {
      const slots = new Slots({ budget: BUDGET })
      const three = [1, 2, 13].map(pages => slots.tryReserve(pages * PAGE) as Slot)
      expect(slots.tryReserve(1)).toBeUndefined()
      for (const index of order) three[index]?.release()
      expect(slots.tryReserve(BUDGET)).toBeDefined()
    }
  })

  test('serves waiters strictly in the order in which they asked, the large one too', async () => {
    const slots = new Slots({ budget: BUDGET })
    const all = slots.tryReserve(BUDGET - PAGE) as Slot
    const served: string[] = []
    const large = slots.reserve(BUDGET).then(slot => {
      served.push('large')
      return slot
    })
    const small = slots.reserve(PAGE).then(() => served.push('small'))
    await turn()
    // One page is free, but who came first goes first.
    expect(served).toEqual([])
    expect(slots.tryReserve(PAGE)).toBeUndefined()
    all.release()
    ;(await large).release()
    await small
    expect(served).toEqual(['large', 'small'])
  })

  test('a waiter that gives up does not block those behind it', async () => {
    const slots = new Slots({ budget: BUDGET })
    slots.tryReserve(BUDGET - PAGE)
    const abort = new AbortController()
    const first = slots.reserve(BUDGET, abort.signal)
    const second = slots.reserve(PAGE)
    const reason = new Error('no more')
    abort.abort(reason)
    await expect(first).rejects.toBe(reason)
    expect((await second).length).toBe(PAGE)
    await expect(slots.reserve(1, AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  test('an abort after the slot was given changes nothing, and nobody listens any more', async () => {
    const slots = new Slots({ budget: BUDGET })
    const held = slots.tryReserve(BUDGET) as Slot
    const abort = new AbortController()
    let listeners = 0
    const { signal } = abort
    const count = (by: number) => (method: typeof signal.addEventListener) =>
      ((...args: Parameters<typeof signal.addEventListener>) => {
        listeners += by
        return method.apply(signal, args)
      }) as typeof signal.addEventListener
    signal.addEventListener = count(1)(signal.addEventListener)
    signal.removeEventListener = count(-1)(signal.removeEventListener) as typeof signal.removeEventListener
    const waiting = slots.reserve(PAGE, signal)
    held.release()
    const slot = await waiting
    expect(listeners).toBe(0)
    abort.abort()
    expect(slot.bytes.length).toBe(PAGE)
    expect(slots.reserved).toBe(PAGE)
  })

  test('trim gives the tail back and serves who waits for it', async () => {
    const slots = new Slots({ budget: BUDGET })
    const slot = slots.tryReserve(BUDGET) as Slot
    const waiting = slots.reserve(8 * PAGE)
    slot.trim(8 * PAGE)
    expect((await waiting).address).toBe(8 * PAGE)
    expect(slot.bytes.length).toBe(8 * PAGE)
    expect(() => slot.trim(9 * PAGE)).toThrow(/Cannot trim/)
  })

  test('frees a slot when its last holder lets go; then its view is empty and nothing can be done with it', () => {
    const slots = new Slots({ budget: BUDGET })
    const slot = slots.tryReserve(PAGE) as Slot
    slot.retain()
    slot.release()
    expect(slots.reserved).toBe(PAGE)
    expect(slot.bytes.length).toBe(PAGE)
    slot.release()
    expect(slots.reserved).toBe(0)
    expect(slot.bytes.length).toBe(0)
    expect(() => slot.release()).toThrow(/twice/)
    expect(() => slot.retain()).toThrow(/free/)
    expect(() => slot.trim(1)).toThrow(/free/)
  })

  test('refuses at once what can never be had', async () => {
    const slots = new Slots({ budget: BUDGET })
    await expect(slots.reserve(BUDGET + 1)).rejects.toThrow(RangeError)
    expect(slots.tryReserve(BUDGET + 1)).toBeUndefined()
    for (const length of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      await expect(slots.reserve(length)).rejects.toThrow(RangeError)
    }
  })
})
