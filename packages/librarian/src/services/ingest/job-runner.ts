/**
 * Runs one job to its end, or until the signal: the unit that any task engine can drive. Safe to run again, and safe to be
 * asked for on several machines at once: the lease lets one of them work (reliability E2).
 */
export interface JobRunner {
  /**
   * `ended`: the job is done, failed or cancelled · `taken`: somebody else works on it · `stopped`: the signal, or the lease was
   * lost; whoever runs it next goes on.
   */
  run(jobId: string, options: { readonly signal: AbortSignal }): Promise<'ended' | 'taken' | 'stopped'>
  /** Ids of jobs that are to be run and that nobody runs, the oldest first. */
  open(): Promise<readonly string[]>
}
