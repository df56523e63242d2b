import { Queue } from './queue.ts'
import { Turnstile } from './turnstile.ts'

/** A result, and the bytes that it keeps in memory until it is taken. */
interface Parcel<Result> {
  readonly result: Result
  readonly bytes: number
}

/** Results on their way to whoever iterates: as they come, or in the order of the list. */
export class ResultQueue<Result> {
  readonly #turnstile: Turnstile<Parcel<Result>> | undefined
  readonly #ready = new Queue<Parcel<Result>>()
  #readyBytes = 0
  #end: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined
  /** Called for each one that was taken, with its bytes. */
  onTaken: (bytes: number) => void = () => {}

  constructor(order: 'completed' | 'list') {
    this.#turnstile = order === 'list' ? new Turnstile() : undefined
  }

  /** In the order of the list: the index of the result that all later ones wait for; else none. */
  get due(): number {
    return this.#turnstile?.due ?? -1
  }

  /** Results that nobody has taken, those that wait for an earlier one among them. */
  get waiting(): number {
    return this.#ready.length + (this.#turnstile?.waiting ?? 0)
  }

  /** Bytes of those that could be taken. */
  get readyBytes(): number {
    return this.#readyBytes
  }

  push(index: number, result: Result, bytes = 0): void {
    const parcel = { result, bytes }
    if (this.#turnstile) this.#release(this.#turnstile.arrive(index, parcel))
    else this.#release([parcel])
  }

  /** There will be no result of this index. */
  pass(index: number): void {
    if (this.#turnstile) this.#release(this.#turnstile.pass(index))
  }

  /** Whatever order was asked for, nothing is kept back any more: what a run did not come to leaves gaps. */
  releaseAll(): void {
    if (this.#turnstile) this.#release(this.#turnstile.rest())
  }

  end(): void {
    this.#end ??= {}
    this.#signal()
  }

  fail(error: unknown): void {
    this.#end ??= { error }
    this.#signal()
  }

  async *take(): AsyncGenerator<Result, void, undefined> {
    for (;;) {
      for (let parcel = this.#ready.shift(); parcel; parcel = this.#ready.shift()) {
        this.#readyBytes -= parcel.bytes
        yield parcel.result
        // It is the consumer's until the next one is asked for.
        this.onTaken(parcel.bytes)
      }
      if (this.#end) {
        if ('error' in this.#end) throw this.#end.error
        return
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  #release(parcels: readonly Parcel<Result>[]): void {
    for (const parcel of parcels) {
      this.#ready.push(parcel)
      this.#readyBytes += parcel.bytes
    }
    if (parcels.length > 0) this.#signal()
  }

  #signal(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
