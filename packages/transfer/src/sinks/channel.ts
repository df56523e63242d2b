/**
 * Hands bytes from one side to the other, one piece at a time and without a copy: `send` is done when the receiver asks
 * for the next piece, so the memory behind a piece is in use exactly as long as the receiver looks at it.
 */
export class Channel<T = Uint8Array> {
  readonly #queue: { readonly item: T; readonly done: () => void; readonly fail: (error: unknown) => void }[] = []
  #end: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined
  #isLeft = false

  /** Resolves when the receiver is done with the item. Rejects when it has left. */
  send(item: T): Promise<void> {
    if (this.#end && 'error' in this.#end) return Promise.reject(this.#end.error)
    if (this.#isLeft) return Promise.reject(new Error('Nobody receives any more'))
    return new Promise((done, fail) => {
      this.#queue.push({ item, done, fail })
      this.#signal()
    })
  }

  /** The receiver takes nothing any more. */
  get isLeft(): boolean {
    return this.#isLeft
  }

  /** Nothing more will come: the receiver ends after what was sent. */
  end(): void {
    this.#end ??= {}
    this.#signal()
  }

  /** The receiver throws at its next step; what was sent and not received is let go. */
  fail(error: unknown): void {
    this.#end ??= { error }
    for (const { fail } of this.#queue.splice(0)) fail(error)
    this.#signal()
  }

  async *bytes(): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        const next = this.#queue.shift()
        if (next) {
          try {
            yield next.item
          } finally {
            next.done()
          }
        } else if (this.#end) {
          if ('error' in this.#end) throw this.#end.error
          return
        } else {
          await new Promise<void>(resolve => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      this.#isLeft = true
      for (const { done } of this.#queue.splice(0)) done()
    }
  }

  #signal(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
