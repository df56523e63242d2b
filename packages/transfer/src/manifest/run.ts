/** What a run over a manifest takes, and what it tells. */
import type { HookTimes } from '../hooks.ts'
import type { NamePlanOptions } from '../names/plan.ts'
import type { DownloadAllOptions } from '../options.ts'
import type { Entry } from './entry.ts'
import type { Outcome, OutcomeStatus } from './outcome.ts'

/** Options of `downloadManifest()`. */
export interface DownloadManifestOptions
  extends Omit<DownloadAllOptions, 'resultOrder' | 'pathFor' | 'arePathsPlanned' | 'areFilesAsked' | 'isEnd'>,
    NamePlanOptions {
  /** Where proofs are kept from one run to the next. Default: none are kept, and what is there is read again. */
  readonly state?: string | undefined
  /** Where the names are kept that rows were given which the list does not name. Default: such rows are numbered as they come. */
  readonly names?: string | undefined
  /**
   * After an abort, tell what was not done as `cancelled`, and resolve `summary`; after a failure that ends the run
   * (`continueAfterError`), tell the rest of the list as well. It is read for that: one that is not worth waiting for must
   * end when the signal does. Default false: the iteration ends at once.
   */
  readonly tellsCancelled?: boolean | undefined
}

/** A row and what became of it. */
export interface ManifestResult {
  /** May hold secrets in its URLs and headers. */
  readonly entry: Entry
  /** What may be shown. */
  readonly outcome: Outcome
}

/** Results, one for every row, and what they add up to. */
export interface ManifestRun extends AsyncIterable<ManifestResult> {
  /** Resolves when the iteration has ended; after an abort only with `tellsCancelled`. */
  readonly summary: Promise<ManifestSummary>
}

/** The last line of a report: rows by status, bytes, time. */
export interface ManifestSummary {
  /** Rows of the manifest. */
  readonly rows: number
  /** Rows and members of bundles, by status. */
  readonly statuses: Readonly<Partial<Record<OutcomeStatus, number>>>
  readonly failed: number
  readonly renamed: number
  /** Files that were there and were others: replaced. */
  readonly repaired: number
  /** Bytes of files that are in place. */
  readonly bytes: number
  /** Of these, bytes of files that were there already. */
  readonly skippedBytes: number
  /** Bytes over the network. */
  readonly transferred: number
  readonly totalMs: number
  /** Ended by an abort: `failed` counts what was not done, too. */
  readonly isInterrupted?: true | undefined
  /** Time in the caller's hooks; undefined when none was called. */
  readonly hooks?: HookTimes | undefined
}
