/** How long a hook is waited for. */
export interface WaitLimits {
  /** Infinity: for ever. */
  readonly timeoutMs: number
  /** Its reason ends the waiting. */
  readonly signal: AbortSignal | undefined
  hung(): unknown
}

/**
 * Waits for a hook's promise, but neither longer than its time nor after the signal. `onLeft` hears when the hook is left
 * alone with what it was lent.
 */
export function waitFor<T>(
  answer: PromiseLike<T>,
  { timeoutMs, signal, hung }: WaitLimits,
  onLeft: () => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (why: unknown) => {
      settle()
      onLeft()
      reject(why)
    }
    const onAbort = () => leave(signal?.reason)
    const timer = timeoutMs <= LONGEST_TIMER ? setTimeout(() => leave(hung()), timeoutMs) : undefined
    const settle = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    answer.then(
      value => {
        settle()
        resolve(value)
      },
      error => {
        settle()
        reject(error)
      },
    )
    if (signal?.aborted) onAbort()
  })
}

/** Beyond it, Node fires at once: some 24 days are as good as for ever. */
const LONGEST_TIMER = 2 ** 31 - 1
