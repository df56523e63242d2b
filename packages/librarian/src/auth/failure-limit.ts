/**
 * Wrong passwords, counted by user and address together: who guesses from one place can neither go on for long nor lock
 * anybody out elsewhere (reliability 6).
 */
import type { Clock } from '../clock.ts'

export interface FailureLimit {
  /** Seconds to wait; 0: go on. */
  waitOf(username: string, address: string): number
  fail(username: string, address: string): void
  succeed(username: string, address: string): void
}

export interface FailureLimitOptions {
  readonly clock: Pick<Clock, 'now'>
  /** Failures that are free. Default 10. */
  readonly burst?: number
  /** After those, one every so often. Default 6,000. */
  readonly everyMs?: number
  /** Pairs that are remembered; the oldest are forgotten first. Default 10,000. */
  readonly remembered?: number
}

interface Bucket {
  readonly failures: number
  readonly at: number
}

export function createFailureLimit(options: FailureLimitOptions): FailureLimit {
  const { clock, burst = 10, everyMs = 6000, remembered = 10_000 } = options
  const buckets = new Map<string, Bucket>()
  const keyOf = (username: string, address: string) => JSON.stringify([username, address])
  const failuresOf = (key: string) => {
    const bucket = buckets.get(key)
    return bucket ? Math.max(0, bucket.failures - (clock.now() - bucket.at) / everyMs) : 0
  }
  return {
    waitOf(username, address) {
      const over = failuresOf(keyOf(username, address)) - (burst - 1)
      return over <= 0 ? 0 : Math.ceil((over * everyMs) / 1000)
    },
    fail(username, address) {
      const key = keyOf(username, address)
      const failures = failuresOf(key) + 1
      // Deleted and set again: a map keeps its order by the first setting.
      buckets.delete(key)
      buckets.set(key, { failures, at: clock.now() })
      if (buckets.size > remembered) buckets.delete(buckets.keys().next().value!)
    },
    succeed(username, address) {
      buckets.delete(keyOf(username, address))
    },
  }
}
