import type { ItemResult } from './results.ts'
import { Turnstile } from './turnstile.ts'

/** Results on their way to whoever iterates. */
export class Results {
  readonly #turnstile: Turnstile<ItemResult> | undefined
  #ready: ItemResult[] = []
  #end: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined
  #isDropped = false
  onTaken: () => void = () => {}

  constructor(order: 'completed' | 'list') {
    this.#turnstile = order === 'list' ? new Turnstile() : undefined
  }

  /** Nobody will take them. */
  drop(): void {
    this.#isDropped = true
  }

  /** Results that nobody has taken, those that wait for an earlier item among them. */
  get waiting(): number {
    return this.#ready.length + (this.#turnstile?.waiting ?? 0)
  }

  push(result: ItemResult): void {
    if (this.#isDropped) return
    if (this.#turnstile) this.#ready.push(...this.#turnstile.arrive(result.index, result))
    else this.#ready.push(result)
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
      const ready = this.#ready
      this.#ready = []
      if (ready.length > 0) this.onTaken()
      yield* ready
      if (this.#ready.length > 0) continue
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
