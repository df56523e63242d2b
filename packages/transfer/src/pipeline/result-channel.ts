import { Queue } from './queue.ts'
import type { ItemResult } from './results.ts'
import { Turnstile } from './turnstile.ts'

/** A result, and the bytes that its value keeps in memory until it is taken. */
interface Parcel {
  readonly result: ItemResult
  readonly bytes: number
}

/** Results on their way to whoever iterates. */
export class Results {
  readonly #turnstile: Turnstile<Parcel> | undefined
  readonly #ready = new Queue<Parcel>()
  #readyBytes = 0
  #end: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined
  /** Called for each one that was taken, with its bytes. */
  onTaken: (bytes: number) => void = () => {}

  constructor(order: 'completed' | 'list') {
    this.#turnstile = order === 'list' ? new Turnstile() : undefined
  }

  /** Results that nobody has taken, those that wait for an earlier item among them. */
  get waiting(): number {
    return this.#ready.length + (this.#turnstile?.waiting ?? 0)
  }

  /** Bytes of those that could be taken. */
  get readyBytes(): number {
    return this.#readyBytes
  }

  push(result: ItemResult, bytes = 0): void {
    const parcel = { result, bytes }
    const arrived = this.#turnstile ? this.#turnstile.arrive(result.index, parcel) : [parcel]
    for (const each of arrived) {
      this.#ready.push(each)
      this.#readyBytes += each.bytes
    }
    this.#signal()
  }

  end(): void {
    this.#end ??= {}
    this.#signal()
  }

  fail(error: unknown): void {
    this.#end ??= { error }
    this.#signal()
  }

  #signal(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  async *take(): AsyncGenerator<ItemResult, void, undefined> {
    for (;;) {
      for (let parcel = this.#ready.shift(); parcel; parcel = this.#ready.shift()) {
        this.#readyBytes -= parcel.bytes
        yield parcel.result
        // Its value is the consumer's until the next one is asked for.
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
}
