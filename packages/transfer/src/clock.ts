import { setTimeout as delay } from 'node:timers/promises'

/** Time as a collaborator, so that tests need not wait. */
export interface Clock {
  /** Monotonic, ms. Never goes back; says nothing of the date. */
  now(): number
  /** ms since 1970. */
  wallNow(): number
  /** Rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal ? { signal } : undefined)
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
}
