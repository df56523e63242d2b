import type { Catalogue } from '../../catalogue/catalogue.ts'
import { type JobHold, jobLease } from '../../catalogue/operations/jobs.ts'
import type { Clock } from '../../clock.ts'

export interface HoldOptions {
  readonly catalogue: Pick<Catalogue, 'leases'>
  readonly clock: Clock
  /** This process. */
  readonly holder: string
  /** A job whose worker did not renew for so long is free for others. Default 60. */
  readonly seconds?: number | undefined
}

/** The right to work on a job, kept alive while it is held. */
export interface Held extends AsyncDisposable {
  readonly hold: JobHold
  /** Aborted when it is somebody else's. */
  readonly lost: AbortSignal
}

/** Undefined: somebody else has it. */
export async function holdJob(jobId: string, options: HoldOptions): Promise<Held | undefined> {
  const { catalogue, clock, holder, seconds = 60 } = options
  const resource = jobLease(jobId)
  const token = await catalogue.leases.acquire({ resource, holder, seconds })
  if (token === undefined) return undefined
  const lost = new AbortController()
  const over = new AbortController()
  const renewing = renew()

  async function renew(): Promise<void> {
    while (!over.signal.aborted) {
      try {
        await clock.sleep((seconds * 1000) / 3, over.signal)
        const isOurs = await catalogue.leases.renew({ resource, holder, token: token as number, seconds })
        if (!isOurs) return lost.abort(new Error(`Job ${jobId} was taken over`))
      } catch (error) {
        // What cannot be renewed runs out by itself, and our writes with it.
        if (!over.signal.aborted) lost.abort(error)
        return
      }
    }
  }

  return {
    hold: { jobId, holder, token },
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      over.abort(new Error('The job ends'))
      await renewing
      await catalogue.leases.release({ resource, holder, token }).catch(() => {})
    },
  }
}
