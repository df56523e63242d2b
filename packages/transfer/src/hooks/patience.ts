/** How long hooks may go on when what they belong to has failed or was aborted: most then come to their end by themselves. */
const GRACE_MS = 1000

/** The signal after which hooks are waited for no longer: it follows another one, or a failure, after a moment. */
export class Patience implements Disposable {
  readonly #leave = new AbortController()
  readonly #given: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(given: AbortSignal | undefined) {
    this.#given = given
    if (given?.aborted) this.end(given.reason)
    else given?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#leave.signal
  }

  /** The moment begins. */
  end(reason: unknown): void {
    this.#timer ??= setTimeout(() => this.#leave.abort(reason), GRACE_MS)
  }

  /** Nobody waits any more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#given?.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = () => this.end(this.#given?.reason)
}
