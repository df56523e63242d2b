/**
 * The parts of one resource that are being fetched, and who fetches which stretch of them. Synchronous and without
 * clocks or sockets, so that every order of events can be tested.
 *
 *     a part      owns one slot from its reservation until its last consumer is done
 *     a stretch   a run of one part, poured by one connection
 *     to work     1. a remainder that an ended stretch left, lowest first
 *                 2. the next part of the plan, ascending
 *                 3. the second half of the longest stretch under way (stealing)
 *
 * Both halves of a stolen stretch lie in the same slot, so stealing needs no memory. A connection may already have been
 * lent the memory up to `granted`, hence a stretch is only ever cut behind that.
 *
 * Does not promise that a thief is faster than its victim.
 */
import { gaps } from '../plan.ts'
import type { Range } from '../resource.ts'
import type { Slot } from '../slots.ts'
import type { Landing } from '../source.ts'

/** Most bytes lent to a connection at once: beyond them a stretch can still be cut. */
const GRANT = 1 << 20

/** Least bytes that are worth another connection. */
const LEAST_STEAL = 1 << 20

export class Part {
  readonly start: number
  readonly end: number
  readonly slot: Slot
  /** Bytes that have not landed. */
  left: number
  /** Runs that nobody fetches now, ascending. */
  readonly missing: Range[] = []
  readonly stretches = new Set<Stretch>()

  constructor({ start, end }: Range, slot: Slot) {
    this.start = start
    this.end = end
    this.slot = slot
    this.left = end - start
  }

  get bytes(): Uint8Array {
    return this.slot.bytes.subarray(0, this.end - this.start)
  }

  /** Runs that have landed, ascending. */
  get landed(): Range[] {
    const left = [...this.stretches].map(({ position, limit }) => ({ start: position, end: limit }))
    return gaps(this, [...this.missing, ...left])
  }
}

/** A run of a part that one connection pours. */
export class Stretch implements Landing {
  readonly part: Part
  readonly start: number
  /** Offset in the resource of the next byte. */
  position: number
  /** One past the last byte; lowered when another connection takes over the tail. */
  limit: number
  /** One past the last byte that was lent by `room`. */
  granted: number
  readonly #onLanded: (count: number) => void

  constructor(part: Part, { start, end }: Range, onLanded: (count: number) => void) {
    this.part = part
    this.start = start
    this.position = start
    this.limit = end
    this.granted = start
    this.#onLanded = onLanded
    part.stretches.add(this)
  }

  get left(): number {
    return this.limit - this.position
  }

  get isComplete(): boolean {
    return this.position >= this.limit
  }

  room(): Uint8Array {
    this.granted = Math.min(this.limit, this.position + GRANT)
    const base = this.part.start
    return this.part.slot.bytes.subarray(this.position - base, this.granted - base)
  }

  advance(count: number): void {
    if (count > this.limit - this.position) {
      throw new RangeError(`Cannot land ${count} bytes at ${this.position}: the limit is ${this.limit}`)
    }
    this.position += count
    this.part.left -= count
    this.#onLanded(count)
  }

  /** The slot covers the whole part: there is always room until the stretch is complete. */
  async whenRoom(): Promise<void> {}
}

export class PartTable {
  /** Parts that have not landed completely, ascending. */
  readonly open: Part[] = []
  readonly #gaps: Range[]
  readonly #onLanded: (count: number) => void

  constructor(whole: Range, held: readonly Range[], onLanded: (count: number) => void = () => {}) {
    this.#gaps = gaps(whole, held)
    this.#onLanded = onLanded
  }

  /** Nothing is left to plan and nothing is left to land. */
  get isDone(): boolean {
    return this.#gaps.length === 0 && this.open.length === 0
  }

  /** The next part of the plan, not yet taken. */
  next(partSize: number): Range | undefined {
    const gap = this.#gaps[0]
    return gap && { start: gap.start, end: Math.min(gap.end, gap.start + partSize) }
  }

  /** Takes the beginning of the plan as a part, with the slot where it will land. */
  begin(range: Range, slot: Slot): Stretch {
    const gap = this.#gaps[0]
    if (!gap || gap.start !== range.start || range.end > gap.end) {
      throw new RangeError(`Cannot begin ${range.start}-${range.end}: it is not next in the plan`)
    }
    if (range.end === gap.end) this.#gaps.shift()
    else this.#gaps[0] = { start: range.end, end: gap.end }
    const part = new Part(range, slot)
    this.open.push(part)
    return new Stretch(part, range, this.#onLanded)
  }

  /** A run that an ended stretch left, lowest first. */
  remainder(): Stretch | undefined {
    for (const part of this.open) {
      const run = part.missing.shift()
      if (run) return new Stretch(part, run, this.#onLanded)
    }
    return undefined
  }

  get hasRemainder(): boolean {
    return this.open.some(part => part.missing.length > 0)
  }

  canSteal(least = LEAST_STEAL): boolean {
    return this.#victim(least) !== undefined
  }

  /** The second half of the longest stretch under way, if it is worth it. */
  steal(least = LEAST_STEAL): Stretch | undefined {
    const found = this.#victim(least)
    if (!found) return undefined
    const { victim, cut } = found
    const end = victim.limit
    victim.limit = cut
    return new Stretch(victim.part, { start: cut, end }, this.#onLanded)
  }

  #victim(least: number): { victim: Stretch; cut: number } | undefined {
    let victim: Stretch | undefined
    for (const stretch of this.stretches()) if (!victim || stretch.left > victim.left) victim = stretch
    if (!victim) return undefined
    const cut = Math.max(victim.granted, alignDown(victim.position + Math.ceil(victim.left / 2)))
    return victim.limit - cut < least ? undefined : { victim, cut }
  }

  /** A stretch ended, well or badly: what it did not pour is missing again. True when its part is now complete. */
  end(stretch: Stretch): boolean {
    const { part } = stretch
    if (!part.stretches.delete(stretch)) return false
    if (!stretch.isComplete) {
      part.missing.push({ start: stretch.position, end: stretch.limit })
      part.missing.sort((a, b) => a.start - b.start)
    }
    return this.#closeIfComplete(part)
  }

  *stretches(): Generator<Stretch> {
    for (const part of this.open) yield* part.stretches
  }

  #closeIfComplete(part: Part): boolean {
    if (part.left > 0 || part.stretches.size > 0) return false
    this.open.splice(this.open.indexOf(part), 1)
    return true
  }
}

function alignDown(offset: number): number {
  return Math.floor(offset / 4096) * 4096
}
