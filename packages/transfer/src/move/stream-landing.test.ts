import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentOf } from '../../test/source-suite.ts'
import { pour } from '../http/pour.ts'
import { type Slot, Slots } from '../slots.ts'
import { StreamLanding, type StreamLandingOptions } from './stream-landing.ts'

const PAGE = 4096
const never = new AbortController().signal

/** A landing that collects what it hands on, and gives each slot back at once. */
function collect(options: Partial<StreamLandingOptions> & { slotBytes?: number } = {}) {
  const slots = new Slots({ budget: 64 * PAGE })
  const { slotBytes = PAGE } = options
  const bytes = new Uint8Array(100 * PAGE)
  const runs: { offset: number; length: number }[] = []
  let landed = 0
  const landing = new StreamLanding({
    start: 0,
    from: 0,
    to: undefined,
    slot: slots.tryReserve(slotBytes) as Slot,
    reserve: () => slots.reserve(slotBytes),
    onLanded: count => {
      landed += count
    },
    onSlot: (slot, offset, length) => {
      bytes.set(slot.bytes.subarray(0, length), offset)
      runs.push({ offset, length })
      slot.release()
    },
    ...options,
  })
  return { landing, slots, bytes, runs, landed: () => landed }
}

describe('StreamLanding', () => {
  test('keeps exactly the wanted bytes of a stream, whatever was wanted and however it comes', async () => {
    const shape = fc.record({
      size: fc.nat(5 * PAGE),
      from: fc.nat(5 * PAGE),
      length: fc.option(fc.nat(5 * PAGE), { nil: undefined }),
      slotBytes: fc.constantFrom(100, PAGE, 2 * PAGE),
      piece: fc.integer({ min: 1, max: 3 * PAGE }),
    })
    await fc.assert(
      fc.asyncProperty(shape, async ({ size, from: asked, length, slotBytes, piece }) => {
        const content = contentOf(size)
        const from = Math.min(asked, size)
        const to = length === undefined ? undefined : Math.min(size, from + length)
        const { landing, slots, bytes, runs, landed } = collect({ from, to, slotBytes })
        for (let at = 0; at < size && !landing.isComplete; at += piece) {
          await pour(landing, content.subarray(at, at + piece), never)
        }
        expect(landing.isComplete).toBe(to !== undefined && landing.position >= to)
        landing.end()
        let at = from
        for (const run of runs) {
          expect(run.offset).toBe(at)
          expect(run.length).toBeGreaterThan(0)
          at += run.length
        }
        const end = to ?? size
        expect(at).toBe(end)
        expect(landed()).toBe(end - from)
        expect(Buffer.compare(bytes.subarray(from, end), content.subarray(from, end))).toBe(0)
        expect(slots.reserved).toBe(0)
      }),
    )
  })

  test('has no room until there is memory again', async () => {
    const { promise, resolve } = Promise.withResolvers<Slot>()
    const slots = new Slots({ budget: 64 * PAGE })
    const { landing } = collect({ reserve: () => promise })
    await pour(landing, contentOf(PAGE), never)
    expect(landing.room().length).toBe(0)
    let hasRoom = false
    const waiting = landing.whenRoom().then(() => {
      hasRoom = true
    })
    await new Promise(done => setImmediate(done))
    expect(hasRoom).toBe(false)
    resolve(slots.tryReserve(PAGE) as Slot)
    await waiting
    expect(landing.room().length).toBe(PAGE)
  })

  test('asks for memory once, however often it is asked for room', async () => {
    let asked = 0
    const slots = new Slots({ budget: 64 * PAGE })
    const { landing } = collect({
      reserve: () => {
        asked++
        return slots.reserve(PAGE)
      },
    })
    await pour(landing, contentOf(PAGE), never)
    await Promise.all([landing.whenRoom(), landing.whenRoom(), landing.whenRoom()])
    expect(asked).toBe(1)
  })

  test('gives up: the offset to go on from is behind what was handed on, and no memory stays', async () => {
    const { landing, slots } = collect({ from: 10 })
    await pour(landing, contentOf(5), never)
    expect(landing.discard()).toBe(10)
    const second = collect({ from: 10 })
    await pour(second.landing, contentOf(10 + PAGE + 7), never)
    expect(second.landing.discard()).toBe(10 + PAGE)
    expect(slots.reserved + second.slots.reserved).toBe(0)
  })

  test('memory that comes after it gave up is given back', async () => {
    const { promise, resolve } = Promise.withResolvers<Slot>()
    const slots = new Slots({ budget: 64 * PAGE })
    const { landing } = collect({ reserve: () => promise })
    await pour(landing, contentOf(PAGE), never)
    const waiting = landing.whenRoom()
    landing.discard()
    resolve(slots.tryReserve(PAGE) as Slot)
    await waiting
    expect(slots.reserved).toBe(0)
  })

  test('of nothing wanted is complete at once and gives its memory back', () => {
    const { landing, slots, runs } = collect({ to: 0 })
    expect(landing.isComplete).toBe(true)
    landing.end()
    expect(runs).toEqual([])
    expect(slots.reserved).toBe(0)
  })
})
