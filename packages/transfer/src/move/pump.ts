import type { EngineParts } from '../engine.ts'
import type { Range } from '../resource.ts'
import type { Slot } from '../slots.ts'
import type { Delivery } from './delivery.ts'
import type { PartTable, Stretch } from './parts.ts'
import type { Place, Places } from './places.ts'
import type { Grant, Requests } from './requests.ts'
import type { Waits } from './waits.ts'

export interface PumpOptions {
  readonly engine: EngineParts
  readonly places: Places
  readonly requests: Requests
  readonly delivery: Delivery
  readonly waits: Waits
  readonly order: 'any' | 'ascending'
  /** Bytes that may be under way beyond the first one not consumed. */
  readonly window: number | undefined
  /** Most requests at once. */
  readonly connections: number
  /** Bytes of the next part. */
  partSize(): number
  /** Memory as soon as there is some; perhaps less than asked for. */
  reserve(length: number): Slot | Promise<Slot>
  /** Asks for a stretch; the permit goes with it. */
  pour(stretch: Stretch, grant: Grant): void
  /** A wait ended: look again. */
  onReady(): void
  onError(error: unknown): void
  /** Another connection takes over the tail of one under way. */
  onSteal(range: Range): void
}

/**
 * Gives connections work while there is some: a remainder, else the next part in the window, else a stolen half.
 *
 * The order of waiting is always memory, then connection: who waits for memory holds no connection, so the two can
 * never wait for each other.
 */
export class Pump {
  readonly #o: PumpOptions
  #slot: Slot | undefined
  #grant: Grant | undefined
  #isWaiting = false
  #isStopped = false

  constructor(options: PumpOptions) {
    this.#o = options
  }

  run(table: PartTable): void {
    const { requests, connections, pour } = this.#o
    while (!this.#isStopped && !this.#isWaiting && requests.size < connections) {
      const part = table.hasRemainder ? undefined : this.next(table)
      if (part && !this.#slot) {
        this.#slot = this.slotNow(part)
        // It may be smaller than what was asked for, and then the part is.
        if (this.#slot) continue
        this.#returnGrant()
        if (this.#isCrowded(part) || this.#isAhead(part)) return
        return this.#when(this.#o.reserve(part.end - part.start), slot => this.#keepSlot(slot))
      }
      const hasWork = part !== undefined || table.hasRemainder
      if (!hasWork && !table.canSteal()) return this.#returnGrant()
      const grant = this.#takeGrant()
      // Others use all connections. Stealing can wait for better times; planned work queues for its turn.
      if (!grant) return hasWork ? this.#waitForGrant() : undefined
      const stretch = table.remainder() ?? this.#begin(table, part) ?? this.#steal(table)
      if (!stretch) return grant.permit.release()
      pour(stretch, grant)
    }
    this.#returnGrant()
  }

  /** The next part of the plan, if it lies in the window. */
  next(table: PartTable): Range | undefined {
    const { window, order, delivery, partSize } = this.#o
    const next = table.next(Math.min(this.#slot?.length ?? Number.POSITIVE_INFINITY, partSize()))
    const isFree = window === undefined || order === 'any'
    return !next || isFree || next.start <= delivery.head || next.end <= delivery.head + window ? next : undefined
  }

  /** Something is left to assign, and there is memory for it: what waits for the reader of a slow part is not. */
  hasWork(table: PartTable): boolean {
    if (table.hasRemainder) return true
    const part = this.next(table)
    return part !== undefined && (this.#slot !== undefined || !this.#isCrowded(part))
  }

  /** Memory that is to be had without waiting for anybody. */
  slotNow(run: Range): Slot | undefined {
    const length = run.end - run.start
    const free = this.#isCrowded(run) ? undefined : this.#o.engine.slots.tryReserve(length)
    return free ?? this.#o.delivery.takeSpare(length)
  }

  /** Nothing more is to be done in parts: gives back what is ready. */
  stop(): void {
    this.#isStopped = true
    this.#returnGrant()
    this.#slot?.release()
    this.#slot = undefined
  }

  #begin(table: PartTable, part: Range | undefined): Stretch | undefined {
    const slot = this.#slot
    if (!part || !slot) return undefined
    this.#slot = undefined
    slot.trim(part.end - part.start)
    return table.begin(part, slot)
  }

  #steal(table: PartTable): Stretch | undefined {
    const stretch = table.steal()
    if (stretch) this.#o.onSteal({ start: stretch.start, end: stretch.limit })
    return stretch
  }

  /**
   * More memory would only pile up behind whoever consumes: their next step calls again. What runs ahead of a program
   * leaves half of it to the parts that others wait for: a program may look at one resource while it waits for another.
   */
  #isCrowded({ start, end }: Range): boolean {
    const { requests, delivery } = this.#o
    const { slots, workingSet } = this.#o.engine
    const isAhead = this.#isAhead({ start })
    if (!isAhead && requests.size + delivery.pending === 0) return false
    return slots.reserved + end - start > (isAhead ? workingSet.size / 2 : workingSet.size)
  }

  /** Something before it is still on its way to a program: it neither waits for memory nor takes the last of it. */
  #isAhead({ start }: Pick<Range, 'start'>): boolean {
    const { order, window, delivery, requests } = this.#o
    if (order === 'ascending') return start > delivery.head
    return window !== undefined && requests.size + delivery.pending > 0
  }

  #keepSlot(slot: Slot): void {
    if (this.#isStopped) slot.release()
    else this.#slot = slot
  }

  #takeGrant(): Grant | undefined {
    const ready = this.#grant
    this.#grant = undefined
    if (ready) return ready
    const place = this.#o.places.pick()
    const permit = this.#o.engine.limits.tryAcquire(place.source.origin)
    return permit && { place, permit }
  }

  #waitForGrant(): void {
    const { engine, places, waits } = this.#o
    const place: Place = places.pick()
    this.#when(engine.limits.acquire(place.source.origin, waits.signal), permit => {
      if (this.#isStopped) permit.release()
      else this.#grant = { place, permit }
    })
  }

  /** A permit that came when it was no longer needed. */
  #returnGrant(): void {
    this.#grant?.permit.release()
    this.#grant = undefined
  }

  #when<T>(promise: T | Promise<T>, use: (value: T) => void): void {
    const { waits, onReady, onError } = this.#o
    this.#isWaiting = true
    waits.begin()
    const over = () => {
      this.#isWaiting = false
      waits.end()
    }
    Promise.resolve(promise).then(
      value => {
        over()
        use(value)
        onReady()
      },
      error => {
        over()
        onError(error)
      },
    )
  }
}
