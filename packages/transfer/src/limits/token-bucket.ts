/**
 * Bandwidth caps (retrieval 9). A taker that finds anything in the bucket may take more than is there; who comes later
 * waits until the debt is paid. So the average is exact, no size of take is too big, and the common case costs no promise.
 *
 * In any span of t seconds at most rate × t + burst + one take passes.
 */
import { type Clock, systemClock } from '../clock.ts'
import { wakeAfter } from './wake.ts'

export interface TokenBucketOptions {
  /** Bytes per second; undefined: unlimited. */
  readonly rate?: number | undefined
  /** Milliseconds of the rate that may pass at once after a pause. Default 250. */
  readonly burstMs?: number | undefined
  /** Default the system's. */
  readonly clock?: Clock | undefined
}

export interface TokenBucket {
  /** Undefined: go on at once. Else wait, in the order of asking; rejects with the signal's reason, nothing taken. */
  take(bytes: number, signal?: AbortSignal): Promise<void> | undefined
  /** Changes the rate, also for those who wait; undefined: unlimited. */
  setRate(rate: number | undefined): void
  readonly rate: number | undefined
  /** Lets all waiters go on; nothing is limited any more. */
  close(): void
}

export function createTokenBucket(options: TokenBucketOptions = {}): TokenBucket {
  return new DebtBucket(options)
}

interface Taker {
  readonly bytes: number
  readonly resolve: () => void
}

class DebtBucket implements TokenBucket {
  readonly #clock: Clock
  readonly #burstMs: number
  readonly #takers: Taker[] = []
  #rate: number | undefined
  /** Bytes that may pass; negative: debt. */
  #tokens = 0
  #filledAt = 0
  #cancelTimer: (() => void) | undefined

  constructor({ rate, burstMs = 250, clock = systemClock }: TokenBucketOptions) {
    this.#clock = clock
    this.#burstMs = burstMs
    this.setRate(rate)
    this.#tokens = this.#burst
  }

  get rate(): number | undefined {
    return this.#rate
  }

  take(bytes: number, signal?: AbortSignal): Promise<void> | undefined {
    if (this.#rate === undefined) return undefined
    if (signal?.aborted) return Promise.reject(signal.reason)
    this.#fill()
    if (this.#takers.length === 0 && this.#tokens > 0) {
      this.#tokens -= bytes
      return undefined
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#takers.splice(this.#takers.indexOf(taker), 1)
        reject(signal!.reason)
        this.#schedule()
      }
      const taker: Taker = {
        bytes,
        resolve: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#takers.push(taker)
      this.#schedule()
    })
  }

  setRate(rate: number | undefined): void {
    if (rate !== undefined && !(rate > 0)) {
      throw new RangeError(`Cannot limit bandwidth to ${rate} bytes/s: it must be above 0`)
    }
    this.#fill()
    this.#rate = rate
    this.#tokens = Math.min(this.#tokens, this.#burst)
    this.#serve()
  }

  close(): void {
    this.setRate(undefined)
  }

  get #burst(): number {
    return ((this.#rate ?? 0) * this.#burstMs) / 1000
  }

  #fill(): void {
    const now = this.#clock.now()
    const gained = ((this.#rate ?? 0) * (now - this.#filledAt)) / 1000
    this.#tokens = Math.min(this.#burst, this.#tokens + gained)
    this.#filledAt = now
  }

  #serve(): void {
    while (this.#takers.length > 0 && (this.#rate === undefined || this.#tokens > 0)) {
      const taker = this.#takers.shift()!
      if (this.#rate !== undefined) this.#tokens -= taker.bytes
      taker.resolve()
    }
    // Old debt must not outlive the cap it was made under.
    if (this.#rate === undefined) this.#tokens = 0
    this.#schedule()
  }

  /** Keeps one timer while somebody waits: when the debt will be paid. */
  #schedule(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#takers.length === 0 || this.#rate === undefined) return
    // One millisecond more than exact: timers are coarse, and an early one would only be set again.
    const ms = Math.max(0, (-this.#tokens / this.#rate) * 1000) + 1
    this.#cancelTimer = wakeAfter(this.#clock, ms, () => {
      this.#cancelTimer = undefined
      this.#fill()
      this.#serve()
    })
  }
}
