/** Which request under way is worth giving up, or asking for a second time (retrieval 8.5, 9). Pure. */
import {
  averageRate,
  costsRetry,
  isHedgeWorthy,
  isTooSlow,
  LOW_SPEED_WINDOW_MS,
  type RateSample,
} from '../limits/slow-link.ts'

/** How one request has been doing. */
export interface Pace {
  /** Clock's ms. */
  readonly startedAt: number
  /** When the latest byte was seen. */
  readonly lastByteAt: number
  readonly samples: readonly RateSample[]
}

export type Verdict<T> =
  | { readonly action: 'abort'; readonly request: T; readonly costsRetry: boolean }
  | { readonly action: 'hedge'; readonly request: T }

/** Rates are compared over this span, ms: long enough to be fair, short enough to notice. */
const RATE_WINDOW_MS = 3000
/** A request younger than this, ms, has no rate yet. */
const FAIR_MS = 1000

export interface TailOptions {
  /** Clock's ms. */
  readonly now: number
  /** Bytes per second. */
  readonly lowSpeedLimit: number
  /** Nothing is left to assign: a second request may be spent on the slowest. */
  readonly mayHedge: boolean
  /** Bytes per second of requests that have ended: what the last one under way is compared with. */
  readonly usual?: number | undefined
}

/** The one request to act on now, if any. */
export function judgeTail<T extends Pace>(requests: readonly T[], options: TailOptions): Verdict<T> | undefined {
  const { now, lowSpeedLimit, mayHedge, usual } = options
  for (const request of requests) {
    const peers = ratesOf(requests, request, now, LOW_SPEED_WINDOW_MS)
    if (!isTooSlow(request.samples, now, { peers, lowSpeedLimit })) continue
    const rate = averageRate(request.samples, now, LOW_SPEED_WINDOW_MS) ?? 0
    return { action: 'abort', request, costsRetry: costsRetry(rate, peers) }
  }
  if (!mayHedge) return undefined
  let worst: T | undefined
  for (const request of requests) {
    const isYoung = now - request.startedAt < FAIR_MS
    const rate = isYoung ? undefined : averageRate(request.samples, now, RATE_WINDOW_MS)
    const peers = ratesOf(requests, request, now, RATE_WINDOW_MS)
    if (peers.length === 0 && usual !== undefined) peers.push(usual)
    const isWorthy = isHedgeWorthy({ rate, silentMs: now - request.lastByteAt }, peers)
    if (isWorthy && (!worst || request.lastByteAt < worst.lastByteAt)) worst = request
  }
  return worst && { action: 'hedge', request: worst }
}

function ratesOf<T extends Pace>(requests: readonly T[], except: T, now: number, windowMs: number): number[] {
  const rates: number[] = []
  for (const request of requests) {
    const rate = request === except ? undefined : averageRate(request.samples, now, windowMs)
    if (rate !== undefined) rates.push(rate)
  }
  return rates
}
