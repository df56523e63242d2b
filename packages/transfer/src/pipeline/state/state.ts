/**
 * What a later run may rely on: which items are done. Contract; every implementation passes `test/state-suite.ts`.
 *
 * `commit` resolves when the records are safe (reliability A2): after a kill at any instant the next run finds each item
 * either done, with its line in the appended output once, or not done, with no trace of it there.
 */

/** What is kept of a done item. */
export interface StateRecord {
  readonly key: string
  /** Of items with the same key, which one. From 1, which is left out. */
  readonly nth?: number | undefined
  readonly status: 'done' | 'dropped'
  /** Why it was dropped. */
  readonly reason?: string | undefined
  /** Files that it made, relative to the state's directory: done only as long as they are there. */
  readonly outputs?: readonly { readonly path: string; readonly size: number }[] | undefined
  /** What was fetched for it, to see whether it has changed since. */
  readonly version?: ResourceVersion | undefined
}

/** What tells versions of a resource apart. */
export interface ResourceVersion {
  readonly size?: number | undefined
  readonly etag?: string | undefined
  /** Milliseconds since 1970. */
  readonly lastModified?: number | undefined
  readonly version?: string | undefined
}

export interface Commit {
  readonly record: StateRecord
  /** Goes into the appended output together with the record. */
  readonly line?: Uint8Array | undefined
}

/** What an earlier run made of an item. */
export interface Found {
  /** Which of the items with this key it is, from 1: what its record must say. */
  readonly nth: number
  /** Undefined: it is not done. */
  readonly record: StateRecord | undefined
}

export interface PipelineState {
  /** Asked once for every item of the list, in its order. */
  find(key: string): Found
  /** Writes down that items are done, in this order. Not called again before it has resolved, nor after it has rejected. */
  commit(batch: readonly Commit[]): Promise<void>
  /** @param isComplete the list was done to its end, whatever became of single items */
  close(isComplete: boolean): Promise<void>
}
