import type { TransferError } from '../errors.ts'
import type { StageProgress } from './progress.ts'

interface ItemEnd<Item> {
  readonly item: Item
  /** Position in the list, from 0. */
  readonly index: number
  readonly key: string
  /** What its functions wanted to say. */
  readonly warnings: readonly string[]
}

/** How one item ended. */
export type ItemResult<Item = unknown, Value = unknown> =
  | (ItemEnd<Item> & { readonly ok: true; readonly status: 'done'; readonly value: Value })
  | (ItemEnd<Item> & {
      readonly ok: true
      /**
       * `skipped`: an earlier run did it. `unchanged`: looked at again, and its source has not changed. `dropped`: a stage
       * had no use for it.
       */
      readonly status: 'skipped' | 'unchanged' | 'dropped'
      readonly reason?: string | undefined
    })
  | (ItemEnd<Item> & {
      readonly ok: false
      readonly status: 'failed'
      readonly stage: string
      readonly attempts: number
      readonly error: TransferError
      /** Where in the caller's files it went wrong, e.g. `clean.ts:12:9`. */
      readonly at?: string | undefined
    })

/** What became of a pipeline's run. */
export interface PipelineSummary {
  /** Items that were read from the list. */
  readonly items: number
  readonly done: number
  readonly skipped: number
  readonly unchanged: number
  readonly dropped: number
  readonly failed: number
  /** A failure ended the run, as was asked for: the rest of the list was not done. */
  readonly isStopped: boolean
  readonly totalMs: number
  readonly stages: readonly StageProgress[]
}
