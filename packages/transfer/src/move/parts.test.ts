import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gaps, total } from '../plan.ts'
import type { Range } from '../resource.ts'
import { type Slot, Slots } from '../slots.ts'
import { PartTable, type Stretch } from './parts.ts'

const PAGE = 4096
/** Several times what is lent to a connection at once, so that stretches are cut in the middle. */
const SIZE = 3000 * PAGE
const slots = new Slots({ budget: 2 * SIZE })

/** One thing that happens to a table; indexes pick among the stretches under way. */
const event = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('begin' as const), length: fc.integer({ min: 1, max: SIZE / 2 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pour' as const),
      index: fc.nat(20),
      count: fc.integer({ min: 1, max: 200 * PAGE }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('steal' as const), least: fc.integer({ min: 1, max: 100 * PAGE }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), index: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remainder' as const) }) },
)
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never

const held = fc
  .array(fc.tuple(fc.nat(SIZE), fc.nat(SIZE / 4)), { maxLength: 4 })
  .map(pairs => pairs.map(([start, length]) => ({ start, end: Math.min(SIZE, start + length) })))

/** Plays events against a table and keeps what was poured. */
class Play {
  readonly poured: Range[] = []
  readonly completed = new Map<number, number>()
  readonly live: Stretch[] = []
  landed = 0
  readonly table: PartTable

  constructor(held: readonly Range[]) {
    this.table = new PartTable({ start: 0, end: SIZE }, held, count => {
      this.landed += count
    })
  }

  step(one: Event): void {
    if (one.do === 'begin') this.begin(one.length)
    if (one.do === 'remainder') this.add(this.table.remainder())
    if (one.do === 'steal') this.steal(one.least)
    if (one.do === 'pour' && this.live.length > 0)
      this.pour(this.live[one.index % this.live.length] as Stretch, one.count)
    if (one.do === 'fail' && this.live.length > 0) this.end(this.live[one.index % this.live.length] as Stretch)
  }

  begin(length: number): boolean {
    const next = this.table.next(length)
    const slot = next && slots.tryReserve(next.end - next.start)
    if (!next || !slot) return false
    expect(next.end - next.start).toBeLessThanOrEqual(length)
    this.add(this.table.begin(next, slot))
    return true
  }

  steal(least: number): void {
    const before = new Map(this.live.map(stretch => [stretch, stretch.limit]))
    const could = this.table.canSteal(least)
    const stolen = this.table.steal(least)
    expect(stolen !== undefined).toBe(could)
    if (!stolen) return
    expect(stolen.left).toBeGreaterThanOrEqual(least)
    const victims = this.live.filter(stretch => stretch.limit !== before.get(stretch))
    expect(victims).toHaveLength(1)
    const [victim] = victims as [Stretch]
    // Memory that was lent to its connection stays the victim's.
    expect(victim.limit).toBeGreaterThanOrEqual(victim.granted)
    expect(stolen.start).toBe(victim.limit)
    expect(stolen.limit).toBe(before.get(victim))
    this.add(stolen)
  }

  pour(stretch: Stretch, count: number): void {
    const room = stretch.room()
    expect(room.length).toBe(Math.min(stretch.left, 1 << 20))
    const length = Math.min(count, room.length)
    this.poured.push({ start: stretch.position, end: stretch.position + length })
    stretch.advance(length)
    if (stretch.isComplete) this.end(stretch)
  }

  end(stretch: Stretch): void {
    this.live.splice(this.live.indexOf(stretch), 1)
    const { part } = stretch
    if (this.table.end(stretch)) {
      this.completed.set(part.start, (this.completed.get(part.start) ?? 0) + 1)
      expect(part.left).toBe(0)
      part.slot.release()
    }
    // A second end of the same stretch says nothing.
    expect(this.table.end(stretch)).toBe(false)
  }

  add(stretch: Stretch | undefined): void {
    if (stretch) this.live.push(stretch)
  }

  /** Everybody behaves from now on. */
  finish(): void {
    while (!this.table.isDone) {
      const next = this.live[0] ?? this.table.remainder()
      if (!next) {
        expect(this.begin(SIZE) || this.begin(PAGE)).toBe(true)
        continue
      }
      if (next !== this.live[0]) this.live.push(next)
      this.pour(next, SIZE)
    }
  }
}

describe('PartTable', () => {
  test('has every byte fetched exactly once and completes every part exactly once, in any order of events', () => {
    fc.assert(
      fc.property(held, fc.array(event, { maxLength: 120 }), (ranges, events) => {
        const play = new Play(ranges)
        for (const one of events) play.step(one)
        // At any moment a part knows exactly what of it has come.
        for (const part of play.table.open) {
          expect(gaps(part, part.landed)).toEqual(gaps(part, play.poured))
          expect(total(part.landed)).toBe(part.end - part.start - part.left)
        }
        play.finish()
        const whole = { start: 0, end: SIZE }
        const wanted = gaps(whole, ranges)
        // Nothing is missing, and as many bytes came as were wanted: so each came once.
        expect(gaps(whole, [...ranges, ...play.poured])).toEqual([])
        expect(gaps(whole, play.poured)).toEqual(gaps(whole, wanted))
        expect(total(play.poured)).toBe(total(wanted))
        expect(play.landed).toBe(total(wanted))
        for (const times of play.completed.values()) expect(times).toBe(1)
        expect(play.table.open).toEqual([])
        expect(slots.reserved).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  test('gives out parts ascending', () => {
    const table = new PartTable({ start: 0, end: 10 * PAGE }, [{ start: 2 * PAGE, end: 3 * PAGE }])
    const slots = new Slots({ budget: 64 * PAGE })
    const starts: number[] = []
    for (let next = table.next(2 * PAGE); next; next = table.next(2 * PAGE)) {
      starts.push(next.start / PAGE)
      table.begin(next, slots.tryReserve(2 * PAGE) as Slot)
    }
    expect(starts).toEqual([0, 3, 5, 7, 9])
  })

  test('refuses to begin what is not next', () => {
    const table = new PartTable({ start: 0, end: 10 }, [])
    const slot = new Slots({ budget: 64 * PAGE }).tryReserve(10) as Slot
    expect(() => table.begin({ start: 1, end: 5 }, slot)).toThrow(RangeError)
    expect(() => table.begin({ start: 0, end: 11 }, slot)).toThrow(RangeError)
  })

  test('refuses bytes beyond the limit', () => {
    const table = new PartTable({ start: 0, end: 10 }, [])
    const stretch = table.begin({ start: 0, end: 10 }, new Slots({ budget: 64 * PAGE }).tryReserve(10) as Slot)
    expect(() => stretch.advance(11)).toThrow(RangeError)
  })

  test('steals from the longest stretch, on a page boundary, both halves in one slot', () => {
    const slots = new Slots({ budget: 64 << 20 })
    const table = new PartTable({ start: 0, end: 24 << 20 }, [])
    const small = table.begin({ start: 0, end: 8 << 20 }, slots.tryReserve(8 << 20) as Slot)
    const large = table.begin({ start: 8 << 20, end: 24 << 20 }, slots.tryReserve(16 << 20) as Slot)
    large.advance(large.room().length - 5)
    const stolen = table.steal() as Stretch
    expect(stolen.part).toBe(large.part)
    expect(stolen.start % PAGE).toBe(0)
    expect(small.limit).toBe(8 << 20)
    expect(Math.abs(stolen.left - large.left)).toBeLessThanOrEqual(2 * PAGE)
    expect(stolen.room().byteOffset).toBe(large.part.slot.address + stolen.start - large.part.start)
  })

  test('a resource that is wholly held, or empty, is done at once', () => {
    expect(new PartTable({ start: 0, end: 10 }, [{ start: 0, end: 10 }]).isDone).toBe(true)
    expect(new PartTable({ start: 0, end: 0 }, []).isDone).toBe(true)
  })
})
