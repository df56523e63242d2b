import type { Clock } from '../clock.ts'

/**
 * What a move waits for besides requests and consumers: memory, permits, delays. A move ends only when nothing of it
 * is under way any more, so whoever waits says so with `begin`, and with `end` in the very step that goes on.
 */
export class Waits {
  readonly #clock: Clock
  #stop: AbortController | undefined
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get count(): number {
    return this.#count
  }

  /** Aborted when the move is over. Made on demand: most small files never wait. */
  get signal(): AbortSignal {
    this.#stop ??= new AbortController()
    return this.#stop.signal
  }

  begin(): void {
    this.#count++
  }

  end(): void {
    this.#count--
  }

  /** Ends early, and quietly, when the move is over. */
  async sleep(ms: number): Promise<void> {
    if (ms === 0) return
    this.begin()
    await this.#clock.sleep(ms, this.signal).catch(() => {})
    this.end()
  }

  /** Everybody who waits is told to stop. */
  stop(reason: unknown): void {
    this.#stop?.abort(reason)
  }
}
