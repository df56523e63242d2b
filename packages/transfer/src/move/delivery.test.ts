import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../sink.ts'
import { type Slot, Slots } from '../slots.ts'
import { Delivery, type DeliveryOptions } from './delivery.ts'

const PAGE = 4096
const turn = () => new Promise(resolve => setImmediate(resolve))

function make(options: Partial<DeliveryOptions> = {}, budget = 16 * PAGE) {
  const slots = new Slots({ budget })
  const errors: unknown[] = []
  let consumed = 0
  const delivery = new Delivery({
    order: 'any',
    start: 0,
    consume: () => undefined,
    onConsumed: () => {
      consumed++
    },
    onError: error => errors.push(error),
    ...options,
  })
  const push = (index: number) => {
    delivery.push({ offset: index * PAGE, length: PAGE, slot: slots.tryReserve(PAGE) as Slot })
  }
  return { delivery, slots, errors, push, consumed: () => consumed }
}

describe('Delivery', () => {
  test('consumes ascending, one after the other, whatever the order of arrival', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...Array(10).keys()], { minLength: 10 }), async order => {
        const seen: number[] = []
        let busy = 0
        const { delivery, push, slots } = make({
          order: 'ascending',
          consume: async ({ offset }: Chunk) => {
            expect(++busy).toBe(1)
            seen.push(offset / PAGE)
            await turn()
            busy--
          },
        })
        for (const index of order) {
          push(index)
          if (index % 3 === 0) await turn()
        }
        while (delivery.pending > 0) await turn()
        expect(seen).toEqual([...Array(10).keys()])
        expect(delivery.head).toBe(10 * PAGE)
        delivery.stop()
        expect(slots.reserved).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  test('keeps one consumed slot as the spare in order ascending, so that nobody else can have the last one', async () => {
    const { delivery, push, slots, consumed } = make({ order: 'ascending' })
    push(0)
    push(1)
    await turn()
    expect(consumed()).toBe(2)
    expect(slots.reserved).toBe(PAGE)
    // Somebody takes all the rest: the next part still has memory.
    expect(slots.tryReserve(15 * PAGE)).toBeDefined()
    const spare = delivery.takeSpare(PAGE) as Slot
    expect(spare.length).toBe(PAGE)
    expect(delivery.takeSpare(PAGE)).toBeUndefined()
    delivery.push({ offset: 2 * PAGE, length: PAGE, slot: spare })
    await turn()
    expect(delivery.takeSpare(100)?.length).toBe(100)
  })

  test('after the end: in order `any` what comes still reaches the consumer, else it is freed at once', async () => {
    for (const order of ['any', 'ascending'] as const) {
      const seen: number[] = []
      const { delivery, push, slots } = make({ order, consume: ({ offset }) => void seen.push(offset / PAGE) })
      delivery.stop()
      push(3)
      await turn()
      expect(seen).toEqual(order === 'any' ? [3] : [])
      expect(delivery.pending).toBe(0)
      expect(slots.reserved).toBe(0)
    }
  })

  test('a spare that is smaller than asked for is better than none', async () => {
    const { delivery, slots } = make({ order: 'ascending' })
    delivery.push({ offset: 0, length: 100, slot: slots.tryReserve(100) as Slot })
    await turn()
    expect(delivery.takeSpare(PAGE)?.length).toBe(100)
  })

  test('keeps the larger of two spares', async () => {
    const { delivery, slots } = make({ order: 'ascending' })
    delivery.push({ offset: 0, length: 100, slot: slots.tryReserve(100) as Slot })
    delivery.push({ offset: 100, length: PAGE, slot: slots.tryReserve(2 * PAGE) as Slot })
    delivery.push({ offset: 100 + PAGE, length: 100, slot: slots.tryReserve(100) as Slot })
    await turn()
    expect(slots.reserved).toBe(2 * PAGE)
    expect(delivery.takeSpare(9 * PAGE)?.length).toBe(2 * PAGE)
  })

  test('never keeps a slot that somebody still holds', async () => {
    const held: Slot[] = []
    const { delivery, push, slots } = make({
      consume: ({ slot }: Chunk) => {
        slot.retain()
        held.push(slot)
        return undefined
      },
    })
    delivery.keepSpare()
    push(0)
    expect(delivery.takeSpare(PAGE)).toBeUndefined()
    held[0]?.release()
    expect(slots.reserved).toBe(0)
  })

  test('in any order keeps no spare unless told to', () => {
    const { delivery, push, slots } = make()
    push(3)
    expect(slots.reserved).toBe(0)
    delivery.keepSpare()
    push(1)
    expect(slots.reserved).toBe(PAGE)
    delivery.stop()
    expect(slots.reserved).toBe(0)
  })

  test('in any order consumes at once and without promises what needs none', () => {
    const seen: number[] = []
    const { push, consumed, delivery } = make({
      consume: ({ offset }: Chunk) => {
        seen.push(offset / PAGE)
        return undefined
      },
    })
    for (const index of [2, 0, 1]) push(index)
    expect(seen).toEqual([2, 0, 1])
    expect(consumed()).toBe(3)
    expect(delivery.pending).toBe(0)
  })

  test.each(['any', 'ascending'] as const)(
    'in order %s tells of a failure, thrown or rejected, and frees its memory',
    async order => {
      for (const fail of [
        () => {
          throw new Error('no')
        },
        () => Promise.reject(new Error('no')),
      ]) {
        const heard: string[] = []
        const { delivery, push, slots, errors } = make({
          order,
          consume: fail,
          onConsumed: () => heard.push('consumed'),
          onError: error => {
            errors.push(error)
            heard.push('failed')
          },
        })
        push(0)
        await turn()
        expect(errors).toMatchObject([{ message: 'no' }])
        // The other way round the last part of a file would count as written.
        expect(heard).toEqual(['failed', 'consumed'])
        expect(delivery.pending).toBe(0)
        delivery.stop()
        expect(slots.reserved).toBe(0)
      }
    },
  )

  test('after stop nothing is consumed any more, and all memory comes back', async () => {
    const gate = Promise.withResolvers<void>()
    const seen: number[] = []
    const { delivery, push, slots } = make({
      order: 'ascending',
      consume: ({ offset }: Chunk) => {
        seen.push(offset / PAGE)
        return gate.promise
      },
    })
    for (const index of [0, 1, 3, 4]) push(index)
    await turn()
    delivery.stop()
    expect(delivery.pending).toBe(2)
    expect(slots.reserved).toBe(2 * PAGE)
    gate.resolve()
    await turn()
    expect(seen).toEqual([0])
    expect(delivery.pending).toBe(0)
    expect(slots.reserved).toBe(0)
  })

  test('rewind forgets what waits for earlier bytes and says where to go on', async () => {
    const { delivery, push, slots } = make({ order: 'ascending' })
    for (const index of [0, 1, 4, 5]) push(index)
    expect(delivery.rewind()).toBe(2 * PAGE)
    await turn()
    expect(delivery.pending).toBe(0)
    for (const index of [2, 3, 4]) push(index)
    await turn()
    expect(delivery.head).toBe(5 * PAGE)
    delivery.stop()
    expect(slots.reserved).toBe(0)
  })
})
