/** A run that begins when its results are first asked for, and ends when nobody wants them any more. */

export interface Started<Result, Total> {
  readonly results: AsyncIterable<Result>
  /** Settles when everything has ended; the results have ended or failed by then. */
  readonly total: Promise<Total>
}

export interface WhenRead<Result, Total> extends AsyncIterable<Result> {
  /** Resolves when the iteration has ended, also when it was left early. */
  readonly summary: Promise<Total>
}

/**
 * @param start begins the run; its signal is aborted when `outer` is, or when whoever iterates leaves
 * @param outer the caller's own signal
 */
export function runWhenRead<Result, Total>(
  start: (signal: AbortSignal) => Started<Result, Total>,
  outer: AbortSignal | undefined,
): WhenRead<Result, Total> {
  const { promise: summary, resolve, reject } = Promise.withResolvers<Total>()
  // Whoever does not ask for it has the failure from the iteration.
  summary.catch(() => {})
  return {
    summary,
    async *[Symbol.asyncIterator]() {
      const leave = new AbortController()
      const { results, total } = start(outer ? AbortSignal.any([outer, leave.signal]) : leave.signal)
      total.then(resolve, reject)
      try {
        yield* results
      } finally {
        leave.abort(new DOMException('The consumer left', 'AbortError'))
        await total.catch(() => {})
      }
    },
  }
}
