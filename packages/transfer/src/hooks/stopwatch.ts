/**
 * Measures work that stops in between, and ends it when one stretch of it takes too long. It runs between `start` and
 * `stop`, but not between `pause` and `resume`.
 */
export class Stopwatch implements Disposable {
  readonly #limitMs: number
  #isStarted = false
  #isPaused = false
  #since: number | undefined
  #timer: NodeJS.Timeout | undefined
  #ms = 0
  /** Why what the work waited for never came. */
  inputFailure: { readonly error: unknown } | undefined
  /** The limit was reached. */
  onExpired: () => void = () => {}

  /** @param limitMs longest stretch without a stop or a pause; Infinity: none */
  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  get ms(): number {
    return this.#ms
  }

  start(): void {
    this.#isStarted = true
    this.#turn()
  }

  stop(): void {
    this.#isStarted = false
    this.#turn()
  }

  pause(): void {
    this.#isPaused = true
    this.#turn()
  }

  resume(): void {
    this.#isPaused = false
    this.#turn()
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  #turn(): void {
    const runs = this.#isStarted && !this.#isPaused
    if (runs === (this.#since !== undefined)) return
    const now = performance.now()
    if (this.#since !== undefined) this.#ms += now - this.#since
    this.#since = runs ? now : undefined
    clearTimeout(this.#timer)
    if (runs && this.#limitMs < 2 ** 31) this.#timer = setTimeout(() => this.onExpired(), this.#limitMs)
  }
}
