import type { FetchFlags } from '../options/fetch.ts'
import type { ProfileFlags } from '../profile/with-profile.ts'
import type { ProgressMode } from '../progress/with-progress.ts'

/** What was said to `arriero run` beside the pipeline. */
export interface RunFlags extends FetchFlags, ProfileFlags {
  readonly option?: readonly string[]
  readonly list?: boolean
  readonly state?: string
  readonly fresh?: boolean
  readonly recheck?: boolean
  readonly stopOnError?: boolean
  readonly maxFailures?: number
  readonly maxItems?: number
  readonly workers?: number
  readonly workerMemory?: number
  readonly report?: string
  readonly progress?: ProgressMode
}
