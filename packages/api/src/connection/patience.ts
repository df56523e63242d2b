/** How long a server is waited for that cannot be reached, over all calls of one connection. */
export interface Patience {
  /** While it has never answered: it is more likely the wrong address. Milliseconds. */
  readonly firstMs: number
  /** Once it has answered: it is being started again. Milliseconds. */
  readonly laterMs: number
}

/** A call that is about to be repeated. */
export interface Wait {
  /** Why: of the attempt that failed. */
  readonly error: Error
  readonly ms: number
}

export interface Outage {
  /** It answered, whatever it said. */
  end(): void
  /** One call's own failures. */
  ofCall(): {
    /** It could not be reached. What is left of the patience, in milliseconds; 0 or less: give up. */
    left(): number
  }
}

/**
 * Counts from the first attempt that failed, so that many calls at once, or one after the other, wait no longer than one; and
 * from each call's own first, or one that is cut off every time would be repeated for ever at a server that is there.
 */
export function createOutage({ firstMs, laterMs }: Patience, now: () => number): Outage {
  let hasAnswered = false
  let since: number | undefined
  return {
    end() {
      hasAnswered = true
      since = undefined
    },
    ofCall() {
      let own: number | undefined
      return {
        left() {
          own ??= now()
          since ??= now()
          return Math.min(since + (hasAnswered ? laterMs : firstMs), own + laterMs) - now()
        },
      }
    },
  }
}
