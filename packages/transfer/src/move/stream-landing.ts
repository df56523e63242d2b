import type { Slot } from '../slots.ts'
import type { Landing } from '../source.ts'

const EMPTY = new Uint8Array(0)
const WASTE = 64 * 1024

export interface StreamLandingOptions {
  /** Offset in the resource of the first byte that the source will pour. */
  readonly start: number
  /** Bytes before this offset were delivered by an earlier answer, or are not wanted: they are thrown away. */
  readonly from: number
  /** Bytes from here on are not wanted; undefined: to the end, wherever that is. */
  readonly to: number | undefined
  /** Memory for the first bytes, reserved before the request. */
  readonly slot: Slot
  /** More memory, when a slot is full. */
  reserve(offset: number): Promise<Slot>
  onLanded(count: number): void
  /** A slot is full, or the stream ended: `length` bytes of the resource at `offset`. */
  onSlot(slot: Slot, offset: number, length: number): void
}

/** Where a body lands that comes as one stream: slot after slot. */
export class StreamLanding implements Landing {
  readonly #options: StreamLandingOptions
  #position: number
  #slot: Slot | undefined
  #filled = 0
  #waste: Uint8Array | undefined
  #waiting: Promise<void> | undefined
  #isOver = false

  constructor(options: StreamLandingOptions) {
    this.#options = options
    this.#position = options.start
    this.#slot = options.slot
  }

  /** Offset in the resource of the next byte. */
  get position(): number {
    return this.#position
  }

  get isComplete(): boolean {
    return this.#options.to !== undefined && this.#position >= this.#options.to
  }

  room(): Uint8Array {
    const { from, to } = this.#options
    const wanted = to === undefined ? Number.POSITIVE_INFINITY : to - this.#position
    if (this.#position < from) {
      this.#waste ??= new Uint8Array(WASTE)
      return this.#waste.subarray(0, Math.min(WASTE, from - this.#position))
    }
    if (!this.#slot) return EMPTY
    const free = this.#slot.length - this.#filled
    return this.#slot.bytes.subarray(this.#filled, this.#filled + Math.min(free, wanted))
  }

  advance(count: number): void {
    const wasWaste = this.#position < this.#options.from
    this.#position += count
    if (wasWaste) return
    this.#filled += count
    this.#options.onLanded(count)
    if (this.#slot && (this.#filled === this.#slot.length || this.isComplete)) this.#handOn(this.#slot)
  }

  async whenRoom(): Promise<void> {
    if (this.#slot || this.isComplete) return
    this.#waiting ??= this.#options.reserve(this.#position).then(slot => {
      this.#waiting = undefined
      if (this.#isOver) slot.release()
      else this.#slot = slot
    })
    await this.#waiting
  }

  /** The body ended where it should: hands on what the last slot holds. */
  end(): void {
    if (this.#slot && this.#filled > 0) this.#handOn(this.#slot)
    this.discard()
  }

  /** Gives up: bytes that were not handed on are lost. Returns the offset to go on from. */
  discard(): number {
    const from = this.#position - this.#filled
    this.#isOver = true
    this.#slot?.release()
    this.#slot = undefined
    this.#filled = 0
    return Math.max(from, this.#options.from)
  }

  #handOn(slot: Slot): void {
    const length = this.#filled
    this.#slot = undefined
    this.#filled = 0
    this.#options.onSlot(slot, this.#position - length, length)
  }
}
