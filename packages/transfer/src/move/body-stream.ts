import type { Slot } from '../slots.ts'
import type { Answer, Landing } from '../source.ts'
import type { Delivery } from './delivery.ts'
import { StreamLanding } from './stream-landing.ts'

export interface BodyStreamOptions {
  /** First byte that is wanted. */
  readonly from: number
  readonly order: 'any' | 'ascending'
  /** Bytes that may be under way beyond the first one not consumed. */
  readonly window: number | undefined
  readonly delivery: Delivery
  /** Bytes of the next slot. */
  partSize(): number
  /** Memory that is to be had without waiting for anybody. */
  slotNow(run: { readonly start: number; readonly end: number }): Slot | undefined
  /** Memory as soon as there is some; perhaps less than asked for. */
  reserve(length: number): Slot | Promise<Slot>
  onLanded(count: number): void
}

export interface StreamAnswer {
  /** Bytes from here on are not wanted; undefined: to the end, wherever that is. */
  readonly to: number | undefined
  /** Memory for the first bytes. */
  readonly slot: Slot
}

/** A resource that comes as one stream, slot after slot; after a failure as another one, of which only the rest counts. */
export class BodyStream {
  readonly #o: BodyStreamOptions
  #landing: StreamLanding | undefined
  #reached: number
  /** Where that was when the stream under way was asked for. */
  #reachedBefore: number
  #isDone = false
  #stopped: { readonly error: unknown } | undefined
  #wake: () => void = () => {}

  constructor(options: BodyStreamOptions) {
    this.#o = options
    this.#reached = options.from
    this.#reachedBefore = options.from
  }

  /** One past the last byte that was handed on: from here another stream has to go on. */
  get reached(): number {
    return this.#reached
  }

  /** Something was handed on. */
  get hasBegun(): boolean {
    return this.#reached > this.#o.from
  }

  /** Bytes that the stream under way has brought and that stay. */
  get progressed(): number {
    return this.#reached - this.#reachedBefore
  }

  /** Undefined: no answer is landing. */
  get isComplete(): boolean | undefined {
    return this.#landing?.isComplete
  }

  /** The body has ended where it should. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** It is going to be asked for. */
  ask(): void {
    this.#reachedBefore = this.#reached
  }

  /** Bytes before this were handed on in another way. */
  goOnFrom(offset: number): void {
    this.#reached = offset
  }

  answered(answer: Answer, { to, slot }: StreamAnswer): Landing {
    const from = this.#reached
    if (to !== undefined && to - from < slot.length) slot.trim(Math.max(1, to - from))
    this.#landing = new StreamLanding({
      start: answer.start,
      from,
      to,
      slot,
      reserve: offset => this.#nextSlot(offset, to ?? Number.POSITIVE_INFINITY),
      onLanded: this.#o.onLanded,
      onSlot: (full, offset, length) => {
        this.#reached = offset + length
        this.#o.delivery.push({ slot: full, offset, length })
      },
    })
    return this.#landing
  }

  /** The request ended well. */
  end(): void {
    this.#landing?.end()
    this.#isDone = this.#landing !== undefined
  }

  /** Gives up what was not handed on. */
  drop(): void {
    this.#landing?.discard()
    this.#landing = undefined
  }

  /** Something was consumed: who waits for memory may look again. */
  wake(): void {
    this.#wake()
  }

  /** No more memory: all is over. */
  stop(error: unknown): void {
    this.#stopped = { error }
    this.#wake()
  }

  /**
   * Memory for the next bytes: what is free, else its own that comes back from the consumer. The stream holds a
   * connection, so it must not wait for memory of others, who may be waiting for a connection.
   */
  async #nextSlot(offset: number, to: number): Promise<Slot> {
    const { order, window, delivery, partSize, slotNow, reserve } = this.#o
    for (;;) {
      if (this.#stopped) throw this.#stopped.error
      const run = { start: offset, end: Math.min(to, offset + partSize()) }
      const isDue = delivery.pending === 0
      const isNear = order === 'any' || window === undefined || run.end <= delivery.head + window
      const slot = isDue || isNear ? slotNow(run) : undefined
      if (slot) return slot
      if (isDue) return reserve(run.end - run.start)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}
