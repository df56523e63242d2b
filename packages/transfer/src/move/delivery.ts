import { Sequencer } from '../sequence.ts'
import type { Chunk } from '../sink.ts'
import type { Slot } from '../slots.ts'

interface Run {
  readonly offset: number
  readonly length: number
  readonly slot: Slot
  /** Where in the slot its bytes begin. Default 0. */
  readonly at?: number | undefined
}

export interface DeliveryOptions {
  readonly order: 'any' | 'ascending'
  /** Offset of the first byte that will come. */
  readonly start: number
  /** Takes a chunk; its slot is given up when this resolves, unless somebody else retained it. */
  consume(chunk: Chunk): Promise<void> | undefined
  /** A chunk was consumed and its memory given up. */
  onConsumed(): void
  onError(error: unknown): void
}

/**
 * Hands complete parts to their consumer, in any order or sequenced, and gives their memory back.
 *
 * In order `ascending`, and for streams, one slot stays with the delivery as the spare: memory for the part that the
 * consumer waits for can then never be taken by other files (progress guarantee, retrieval 6).
 */
export class Delivery {
  readonly #o: DeliveryOptions
  readonly #sequencer: Sequencer<Run> | undefined
  #chain: Promise<void> = Promise.resolve()
  #pending = 0
  #head: number
  #spare: Slot | undefined
  #keepsSpare: boolean
  #isOver = false

  constructor(options: DeliveryOptions) {
    this.#o = options
    this.#head = options.start
    this.#keepsSpare = options.order === 'ascending'
    this.#sequencer = options.order === 'ascending' ? new Sequencer(options.start) : undefined
  }

  /** In order `ascending`: the first byte that was not consumed. */
  get head(): number {
    return this.#head
  }

  /** Runs that were pushed and not consumed. */
  get pending(): number {
    return this.#pending
  }

  /** In order `ascending`: one past the last byte that will be consumed without more being pushed. */
  get due(): number {
    return this.#sequencer?.head ?? this.#o.start
  }

  /** Forgets what waits for earlier bytes; returns `due`, from where on bytes are pushed again. */
  rewind(): number {
    this.#dropParked()
    return this.due
  }

  push(run: Run): void {
    if (this.#isOver && this.#sequencer) return run.slot.release()
    this.#pending++
    if (!this.#sequencer) return void this.#consume(run)
    for (const due of this.#sequencer.push(run)) this.#chain = this.#chain.then(() => this.#consume(due))
  }

  /** From now on a slot stays here when its chunk is consumed, whatever the order. */
  keepSpare(): void {
    this.#keepsSpare = true
  }

  /** The kept slot, if there is one; of at most `most` bytes, but perhaps of fewer. */
  takeSpare(most: number): Slot | undefined {
    const spare = this.#spare
    this.#spare = undefined
    if (spare && spare.length > most) spare.trim(most)
    return spare
  }

  /**
   * The end: frees what waits. Chunks being consumed are freed when they are done. In order `any` what is pushed later still
   * reaches the consumer: they may want to keep it.
   */
  stop(): void {
    this.#isOver = true
    this.#spare?.release()
    this.#spare = undefined
    this.#dropParked()
  }

  #dropParked(): void {
    for (const run of this.#sequencer?.drain() ?? []) {
      run.slot.release()
      this.#pending--
    }
  }

  /** A promise only when the consumer needs one: small files must not pay for it. */
  #consume(run: Run): Promise<void> | undefined {
    if (this.#isOver && this.#sequencer) {
      this.#free(run)
      return undefined
    }
    let busy: Promise<void> | undefined
    try {
      const { offset, length, slot, at = 0 } = run
      busy = this.#o.consume({ offset, bytes: slot.bytes.subarray(at, at + length), slot })
    } catch (error) {
      this.#failed(run, error)
      return undefined
    }
    if (!busy) {
      this.#free(run)
      return undefined
    }
    return busy.then(
      () => this.#free(run),
      error => this.#failed(run, error),
    )
  }

  /** The error first: whoever hears that the last run is done takes it for consumed. */
  #failed(run: Run, error: unknown): void {
    this.#o.onError(error)
    this.#free(run)
  }

  #free(run: Run): void {
    this.#pending--
    if (this.#sequencer) this.#head = run.offset + run.length
    const isWanted = this.#keepsSpare && !this.#isOver && !run.slot.isShared
    if (isWanted && (!this.#spare || this.#spare.length < run.slot.length)) {
      this.#spare?.release()
      this.#spare = run.slot
    } else run.slot.release()
    this.#o.onConsumed()
  }
}
