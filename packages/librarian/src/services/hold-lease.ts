import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'

const LEASE_SECONDS = 60

export interface HoldLeaseOptions {
  readonly catalogue: Pick<Catalogue, 'leases'>
  readonly clock: Clock
  /** This process. */
  readonly holder: string
  /** What its holder did not renew for so long is free for others. Default 60. */
  readonly seconds?: number | undefined
}

/** The right to work on something, kept alive while it is held (reliability 8.13). */
export interface HeldLease extends AsyncDisposable {
  readonly token: number
  /** Aborted when it is somebody else's. */
  readonly lost: AbortSignal
}

/** Undefined: somebody else has it. */
export async function holdLease(resource: string, options: HoldLeaseOptions): Promise<HeldLease | undefined> {
  const { catalogue, holder, seconds = LEASE_SECONDS } = options
  const token = await catalogue.leases.acquire({ resource, holder, seconds })
  return token === undefined ? undefined : keepLease(resource, token, options)
}

/** A lease that was taken within another operation, kept alive from now on. */
export function keepLease(resource: string, token: number, options: HoldLeaseOptions): HeldLease {
  const { catalogue, clock, holder, seconds = LEASE_SECONDS } = options
  const lost = new AbortController()
  const over = new AbortController()
  const renewing = renew()

  async function renew(): Promise<void> {
    while (!over.signal.aborted) {
      try {
        await clock.sleep((seconds * 1000) / 3, over.signal)
        const isOurs = await catalogue.leases.renew({ resource, holder, token, seconds })
        if (!isOurs) return lost.abort(new Error(`${resource} was taken over`))
      } catch (error) {
        // What cannot be renewed runs out by itself, and our writes with it.
        if (!over.signal.aborted) lost.abort(error)
        return
      }
    }
  }

  return {
    token,
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      over.abort(new Error(`${resource} is given back`))
      await renewing
      await catalogue.leases.release({ resource, holder, token }).catch(() => {})
    },
  }
}
