import type { Clock } from '../src/clock.ts'

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  readonly #start: number
  #now = 0
  #sleepers: { readonly at: number; readonly wake: () => void }[] = []

  /** `start`: the date it begins at, milliseconds since 1970. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#start = start
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#start + this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter(other => other !== sleeper)
        reject(signal!.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper = { at: this.#now + Math.max(0, ms), wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** How many sleep. */
  get sleeping(): number {
    return this.#sleepers.length
  }

  /** Moves on by `ms`, waking sleepers at their times, then lets promises settle. */
  async advance(ms: number): Promise<void> {
    await settle()
    const end = this.#now + ms
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at)
      this.#sleepers = this.#sleepers.filter(sleeper => sleeper !== next)
      next.wake()
      await settle()
    }
    this.#now = end
    await settle()
  }

  /** Moves on to the next sleeper and wakes it; false when nobody sleeps. */
  async advanceToNext(): Promise<boolean> {
    await settle()
    const next = this.#next(Infinity)
    if (!next) return false
    await this.advance(next.at - this.#now)
    return true
  }

  #next(end: number) {
    return this.#sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
  }
}

/** Lets everything that is already resolved run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
