import { type JobHold, jobLease } from '../../catalogue/operations/jobs.ts'
import { type HoldLeaseOptions, holdLease } from '../hold-lease.ts'

/** A job whose worker did not renew for 30 s, unless told otherwise, is free for others. */
export type HoldOptions = HoldLeaseOptions

/** The right to work on a job, kept alive while it is held. */
export interface Held extends AsyncDisposable {
  readonly hold: JobHold
  /** Aborted when it is somebody else's. */
  readonly lost: AbortSignal
}

/** Undefined: somebody else has it. */
export async function holdJob(jobId: string, options: HoldOptions): Promise<Held | undefined> {
  const held = await holdLease(jobLease(jobId), { ...options, seconds: options.seconds ?? 30 })
  if (!held) return undefined
  const { token, lost } = held
  const { holder } = options
  return { hold: { jobId, holder, token }, lost, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() }
}
