import type { EntryResult } from './results.ts'

/** The results that wait for whoever iterates, in the order asked for. */
export class ResultQueue {
  readonly #inOrder: boolean
  #ready: EntryResult[] = []
  readonly #early = new Map<number, EntryResult>()
  readonly #passed = new Set<number>()
  #next = 0
  #end: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined
  onTaken: () => void = () => {}

  constructor(order: 'completed' | 'manifest') {
    this.#inOrder = order === 'manifest'
  }

  /** In the order of the list: the index of the result that all later ones wait for; else none. */
  get due(): number {
    return this.#inOrder ? this.#next : -1
  }

  /** There will be no result of this entry. */
  pass(index: number): void {
    if (!this.#inOrder) return
    this.#passed.add(index)
    this.#release()
  }

  /** Results that nobody has taken. */
  get waiting(): number {
    return this.#ready.length + this.#early.size
  }

  push(result: EntryResult): void {
    if (!this.#inOrder) this.#ready.push(result)
    else {
      this.#early.set(result.entry.index, result)
      this.#release()
    }
    this.#signal()
  }

  #release(): void {
    for (;;) {
      const due = this.#early.get(this.#next)
      if (!due && !this.#passed.delete(this.#next)) return
      this.#early.delete(this.#next++)
      if (due) this.#ready.push(due)
    }
  }

  end(): void {
    this.#end ??= {}
    this.#signal()
  }

  fail(error: unknown): void {
    this.#end ??= { error }
    this.#signal()
  }

  async *take(): AsyncGenerator<EntryResult, void, undefined> {
    for (;;) {
      const batch = this.#ready
      this.#ready = []
      for (const result of batch) yield result
      if (batch.length > 0) this.onTaken()
      else if (this.#end) {
        // Whatever order was asked for, nothing is kept back: an entry that a hook skipped leaves a gap.
        const rest = [...this.#early.values()].sort((a, b) => a.entry.index - b.entry.index)
        this.#early.clear()
        yield* rest
        if ('error' in this.#end) throw this.#end.error
        return
      } else {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    }
  }

  #signal(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
