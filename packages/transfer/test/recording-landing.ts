import type { Landing } from '../src/source.ts'

export interface RecordingLandingOptions {
  /** Most bytes that will be wanted; the memory. */
  readonly capacity: number
  /** Bytes that there is room for now; `give` adds more. Default: all. */
  readonly room?: number | undefined
  /** Most bytes lent at once. Default: all. */
  readonly grant?: number | undefined
  /** Called after every advance. */
  readonly onAdvance?: ((landing: RecordingLanding) => void) | undefined
}

/** Keeps what was poured; its room and its limit are moved by the test. Strict about the contract. */
export class RecordingLanding implements Landing {
  readonly memory: Uint8Array
  position = 0
  limit: number
  /** How often the source asked for room in vain. */
  waits = 0
  #allowed: number
  #grant: number
  readonly #onAdvance: (landing: RecordingLanding) => void
  #waiters: (() => void)[] = []

  constructor({ capacity, room, grant, onAdvance }: RecordingLandingOptions) {
    this.memory = new Uint8Array(new SharedArrayBuffer(capacity))
    this.limit = capacity
    this.#allowed = room ?? capacity
    this.#grant = grant ?? capacity
    this.#onAdvance = onAdvance ?? (() => {})
  }

  get bytes(): Uint8Array {
    return this.memory.subarray(0, this.position)
  }

  get isComplete(): boolean {
    return this.position >= this.limit
  }

  room(): Uint8Array {
    const end = Math.min(this.limit, this.#allowed, this.position + this.#grant)
    return this.memory.subarray(this.position, Math.max(this.position, end))
  }

  advance(count: number): void {
    if (!(count > 0) || count > this.room().length) {
      throw new Error(`The source advanced by ${count} where there was room for ${this.room().length}`)
    }
    this.position += count
    this.#onAdvance(this)
  }

  whenRoom(): Promise<void> {
    if (this.room().length > 0 || this.isComplete) return Promise.resolve()
    this.waits++
    return new Promise(resolve => this.#waiters.push(resolve))
  }

  /** Makes room for more bytes. */
  give(count: number): void {
    this.#allowed += count
    this.#wake()
  }

  /** Another connection takes over from here. */
  lower(limit: number): void {
    this.limit = limit
    this.#wake()
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}
