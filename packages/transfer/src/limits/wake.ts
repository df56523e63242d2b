import type { Clock } from '../clock.ts'

/** setTimeout turns longer delays into 1 ms. */
const LONGEST_MS = 2 ** 31 - 1

/** Runs `action` once after `ms` milliseconds (at most 24 days). The returned function cancels it. */
export function wakeAfter(clock: Clock, ms: number, action: () => void): () => void {
  const abort = new AbortController()
  clock.sleep(Math.min(ms, LONGEST_MS), abort.signal).then(
    () => {
      // Cancelled between the end of the sleep and now.
      if (!abort.signal.aborted) action()
    },
    () => {},
  )
  return () => abort.abort()
}
