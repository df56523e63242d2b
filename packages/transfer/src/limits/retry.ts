import { type Clock, systemClock } from '../clock.ts'
import { isRetriable as isRetriableError } from '../errors.ts'
import type { RetryBudget } from './backoff.ts'

export interface WithRetryOptions {
  readonly signal: AbortSignal
  /** Whether trying again may help. Default: what the error itself says. */
  readonly isRetriable?: ((error: unknown) => boolean) | undefined
  /** Told before each wait. */
  readonly onRetry?: ((error: unknown, delayMs: number) => void) | undefined
  /** Default the system's. */
  readonly clock?: Clock | undefined
}

/**
 * Attempts until one succeeds, the error is final, or the budget is spent; then the latest error is thrown as it is.
 * `attempt` is told how many failed before it, so that it can ask for a fresh connection. For work without bytes to
 * keep: a probe, a listing, a token.
 */
export async function withRetry<T>(
  attempt: (failures: number) => Promise<T>,
  budget: RetryBudget,
  { signal, isRetriable = isRetriableError, onRetry, clock = systemClock }: WithRetryOptions,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted()
    try {
      return await attempt(failures)
    } catch (error) {
      // An abort is nobody's failure: it costs no retry and passes through as what it is.
      signal.throwIfAborted()
      if (!isRetriable(error)) throw error
      const delayMs = budget.next({ progressed: 0 })
      if (delayMs === undefined) throw error
      onRetry?.(error, delayMs)
      await clock.sleep(delayMs, signal)
    }
  }
}
