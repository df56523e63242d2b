import { type Clock, systemClock } from '../clock.ts'
import { createTokenBucket, type TokenBucket } from './token-bucket.ts'

export interface BandwidthOptions {
  /** Bytes per second of everything together; undefined: unlimited. */
  readonly total?: number | undefined
  /** Bytes per second of each origin that has no cap of its own; undefined: unlimited. */
  readonly perOrigin?: number | undefined
  /** Default the system's. */
  readonly clock?: Clock | undefined
}

/** The caps of a run: one for all, one per origin, adjustable while it runs. */
export interface Bandwidth {
  /** Undefined: go on at once. Bytes must pass the origin's cap, then the total one. */
  take(origin: string, bytes: number, signal?: AbortSignal): Promise<void> | undefined
  setTotal(rate: number | undefined): void
  /** Of one origin, instead of the common rate. */
  setOrigin(origin: string, rate: number | undefined): void
  /** Lets all waiters go on. */
  close(): void
}

export function createBandwidth({ total, perOrigin, clock = systemClock }: BandwidthOptions = {}): Bandwidth {
  const all = createTokenBucket({ rate: total, clock })
  const buckets = new Map<string, TokenBucket>()
  const bucketOf = (origin: string) => {
    let bucket = buckets.get(origin)
    if (!bucket) {
      bucket = createTokenBucket({ rate: perOrigin, clock })
      buckets.set(origin, bucket)
    }
    return bucket
  }
  return {
    take(origin, bytes, signal) {
      // No bucket for an origin that was never capped.
      const waiting =
        perOrigin === undefined ? buckets.get(origin)?.take(bytes, signal) : bucketOf(origin).take(bytes, signal)
      return waiting ? waiting.then(() => all.take(bytes, signal)) : all.take(bytes, signal)
    },
    setTotal: rate => all.setRate(rate),
    setOrigin: (origin, rate) => bucketOf(origin).setRate(rate),
    close() {
      all.close()
      for (const bucket of buckets.values()) bucket.close()
    },
  }
}
