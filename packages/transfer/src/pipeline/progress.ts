/** Counting, without any idea of terminals: the run counts, whoever shows it reads. */

export interface StageProgress {
  readonly name: string
  /** Items that wait for it. */
  waiting: number
  /** Items that it is at work on. */
  active: number
  /** Items that it has passed on. */
  passed: number
  /** Items that ended here without a result. */
  ended: number
  failed: number
  retries: number
  /** Sum over items of the time in it, retries and pauses included, ms. */
  busyMs: number
  /** Sum over items of the time that they waited for it, ms. */
  waitMs: number
}

/** Counts of a pipeline's run, up to date whenever they are read. */
export class PipelineProgress {
  /** Items of the list so far. */
  listed = 0
  /** True once `listed` is final. */
  isListed = false
  /** Items under way: begun, and their end not told. */
  inFlight = 0
  done = 0
  /** Done by an earlier run. */
  skipped = 0
  /** Looked at again and found unchanged. */
  unchanged = 0
  dropped = 0
  failed = 0
  /** Bytes that items under way hold in memory. */
  heldBytes = 0
  readonly stages: readonly StageProgress[]

  constructor(names: readonly string[]) {
    this.stages = names.map(name => ({
      name,
      waiting: 0,
      active: 0,
      passed: 0,
      ended: 0,
      failed: 0,
      retries: 0,
      busyMs: 0,
      waitMs: 0,
    }))
  }
}
