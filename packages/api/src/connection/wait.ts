/** How long to wait before a call is repeated, and the waiting. */

/** Milliseconds; resolves early with the signal's reason as an error. */
export type Sleep = (ms: number, options: { readonly signal: AbortSignal | undefined }) => Promise<void>

const FIRST_WAIT_MS = 250
const LONGEST_STEP_MS = 10_000

export interface WaitOptions {
  /** 0 before the first repetition. */
  readonly attempt: number
  /** 0 to 1, exclusive. */
  readonly random: () => number
  readonly retryAfterSeconds: number | undefined
  readonly longestWaitMs: number
}

/**
 * Milliseconds: twice as long each time, anything up to that by chance, so that callers who failed together do not come back
 * together. What the server asks for is the least. Undefined: it asks for more than we are to wait.
 */
export function waitBefore({ attempt, random, retryAfterSeconds, longestWaitMs }: WaitOptions): number | undefined {
  const jitter = random() * Math.min(LONGEST_STEP_MS, FIRST_WAIT_MS * 2 ** attempt)
  if (retryAfterSeconds === undefined) return Math.min(jitter, longestWaitMs)
  const asked = retryAfterSeconds * 1000
  return asked > longestWaitMs ? undefined : asked + jitter
}

export const sleep: Sleep = (ms, { signal }) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
