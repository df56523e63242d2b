import type { Engine } from '../engine.ts'
import type { FetchOptions } from '../options.ts'

/** Options of a pipeline's run. */
export interface RunOptions {
  /** Shares limits, memory and connections with other calls. Default: one of its own, closed at the end. */
  readonly engine?: Engine | undefined
  readonly signal?: AbortSignal | undefined
  /** For every stage that fetches, unless it says otherwise: credentials, part size, patience. */
  readonly fetch?: Omit<FetchOptions, 'engine' | 'signal'> | undefined
  /**
   * File in which done items are written down, so that a later run with the same file passes them over. Default: none;
   * every run begins anew.
   */
  readonly state?: string | undefined
  /** Forget what the state says, and replace the appended output. Default false. */
  readonly fresh?: boolean | undefined
  /** Ask the source of done items whether it has changed since, and do them again if so. Default false. */
  readonly recheck?: boolean | undefined
  /** What the first failure of an item does to the rest of the list. Default `continue`. */
  readonly onError?: 'continue' | 'stop' | undefined
  /** Begin nothing more after this many failures. Default: no limit. */
  readonly maxFailures?: number | undefined
  /** Order of the results. Default `completed`. */
  readonly resultOrder?: 'completed' | 'list' | undefined
  /** Items under way at once, in all stages together. Default 512. */
  readonly maxItems?: number | undefined
  /**
   * Bytes that fetched content and what functions make of it may take in memory, until the result is taken. What is larger
   * than expected is counted as soon as it is there. Default: the engine's memory budget.
   */
  readonly maxBytes?: number | undefined
}
