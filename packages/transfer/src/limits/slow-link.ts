/** Which connections are too slow to keep (retrieval 8.5) or worth doubling (retrieval 9). Pure. */

/** What had arrived by a moment. */
export interface RateSample {
  /** Milliseconds. */
  readonly at: number
  /** Bytes since the connection began this attempt. */
  readonly bytes: number
}

/** Milliseconds over which a connection's speed is judged before it is given up. */
export const LOW_SPEED_WINDOW_MS = 20_000
/** Milliseconds without a byte after which a part is asked for a second time. */
const HEDGE_SILENCE_MS = 3_000
/** Bytes per second that a lone connection must make. */
export const LOW_SPEED_LIMIT = 1024
const SAMPLE_EVERY_MS = 250

/**
 * The samples with this moment added and what is older than the window dropped; the last one before the window stays,
 * because the average needs both ends. Samples closer than 250 ms are merged, so their number is bounded.
 */
export function addSample(samples: readonly RateSample[], sample: RateSample): readonly RateSample[] {
  const last = samples.at(-1)
  const previous = samples.at(-2)
  if (last && previous && sample.at - previous.at < SAMPLE_EVERY_MS) return [...samples.slice(0, -1), sample]
  const from = sample.at - LOW_SPEED_WINDOW_MS
  const firstInside = samples.findIndex(({ at }) => at > from)
  const kept = firstInside < 0 ? samples.slice(-1) : samples.slice(Math.max(0, firstInside - 1))
  return [...kept, sample]
}

/**
 * Bytes per second over the last `windowMs` before `now`, or since the first sample when that is younger. Undefined
 * without any time to measure. A connection that fell silent gets slower as `now` goes on.
 */
export function averageRate(samples: readonly RateSample[], now: number, windowMs: number): number | undefined {
  const first = samples[0]
  const last = samples.at(-1)
  if (!first || !last || now <= first.at) return undefined
  const from = Math.max(first.at, now - windowMs)
  return ((last.bytes - bytesAt(samples, from)) * 1000) / (now - from)
}

export interface LowSpeedOptions {
  /** Rates of the other connections of this origin, bytes per second. */
  readonly peers: readonly number[]
  /** Bytes per second. Default 1 KiB/s. */
  readonly lowSpeedLimit?: number | undefined
}

/**
 * Whether to abort a connection: its average over 20 s is under max(lowSpeedLimit, 5 % of its peers' median). Never
 * before it had 20 s.
 */
export function isTooSlow(samples: readonly RateSample[], now: number, options: LowSpeedOptions): boolean {
  const { peers, lowSpeedLimit = LOW_SPEED_LIMIT } = options
  const first = samples[0]
  if (!first || now - first.at < LOW_SPEED_WINDOW_MS) return false
  const rate = averageRate(samples, now, LOW_SPEED_WINDOW_MS) ?? 0
  return rate < Math.max(lowSpeedLimit, 0.05 * (median(peers) ?? 0))
}

/**
 * Whether an attempt that was aborted for its slowness costs a retry: only if no peer is faster. With a faster peer the
 * connection was at fault, and the tail goes there.
 */
export function costsRetry(rate: number, peers: readonly number[]): boolean {
  return !peers.some(peer => peer > rate)
}

export interface HedgeCandidate {
  /** Bytes per second; undefined when it has not run long enough to tell. */
  readonly rate: number | undefined
  /** Milliseconds since its last byte, or since it was asked for. */
  readonly silentMs: number
}

/** Whether a part is worth a second request when nothing is left to assign: below 20 % of the median, or silent for 3 s. */
export function isHedgeWorthy({ rate, silentMs }: HedgeCandidate, peers: readonly number[]): boolean {
  if (silentMs >= HEDGE_SILENCE_MS) return true
  const middle = median(peers)
  return rate !== undefined && middle !== undefined && rate < 0.2 * middle
}

/** Undefined for none. */
export function median(numbers: readonly number[]): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  return upper !== undefined && sorted.length % 2 === 0 ? (sorted[middle - 1]! + upper) / 2 : upper
}

/** Between two samples bytes are taken to have come evenly. */
function bytesAt(samples: readonly RateSample[], at: number): number {
  const after = samples.findIndex(sample => sample.at >= at)
  if (after < 0) return samples.at(-1)!.bytes
  const next = samples[after]!
  const before = samples[after - 1]
  if (!before) return next.bytes
  return before.bytes + ((next.bytes - before.bytes) * (at - before.at)) / (next.at - before.at)
}
