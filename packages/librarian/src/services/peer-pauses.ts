import type { Clock } from '../clock.ts'

export interface PeerPausesOptions {
  readonly clock: Pick<Clock, 'now'>
  /** 0 to 1, exclusive. Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Before the second try; ms. Default 1000. Each later one waits twice as long. */
  readonly firstMs?: number | undefined
  /** Default an hour. */
  readonly longestMs?: number | undefined
}

const LONGEST_MS = 3_600_000

/** Librarians that could not be reached, and when they are tried again: later and later, and not all at the same moment. */
export class PeerPauses {
  readonly #o: PeerPausesOptions
  readonly #paused = new Map<string, { readonly failures: number; until: number }>()

  constructor(options: PeerPausesOptions) {
    this.#o = options
  }

  /** @param retryAfterSeconds as it asked for */
  failed(peer: string, retryAfterSeconds = 0): void {
    const { clock, random, firstMs, longestMs = LONGEST_MS } = this.#o
    const failures = (this.#paused.get(peer)?.failures ?? 0) + 1
    const ms = Math.max(pauseMs(failures, firstMs, random), retryAfterSeconds * 1000)
    this.#paused.set(peer, { failures, until: clock.now() + Math.min(ms, longestMs) })
  }

  answered(peer: string): void {
    this.#paused.delete(peer)
  }

  /** There is reason to try now; if that fails as well, the pause after it is the longer one. */
  hasten(peer: string): void {
    const paused = this.#paused.get(peer)
    if (paused) paused.until = 0
  }

  isPaused(peer: string): boolean {
    return this.leftMs(peer) > 0
  }

  /** 0: it may be tried now. */
  leftMs(peer: string): number {
    return Math.max(0, (this.#paused.get(peer)?.until ?? 0) - this.#o.clock.now())
  }

  /** Until the first of these may be tried; undefined: none of them waits. */
  shortestMs(): number | undefined {
    const left = [...this.#paused.keys()].map(peer => this.leftMs(peer)).filter(ms => ms > 0)
    return left.length === 0 ? undefined : Math.min(...left)
  }
}

/** Before the try that follows so many failures. */
export function pauseMs(failures: number, firstMs = 1000, random: () => number = Math.random): number {
  const whole = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), LONGEST_MS)
  return whole / 2 + (whole / 2) * random()
}
