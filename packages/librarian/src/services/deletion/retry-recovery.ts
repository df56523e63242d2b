/** What a deletion of this process could not end (a full disk, a catalogue that is away) is tried again by itself, later and later. */
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'

export interface RetryRecovery {
  /** Something failed: unless tries are under way, they begin in a moment. */
  begin(): void
  close(): Promise<void>
}

export interface RetryRecoveryOptions {
  /** Resolves to how much still waits. */
  recover(): Promise<number>
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Log
}

const FIRST_WAIT_MS = 1000
const LAST_WAIT_MS = 60_000

export function createRetryRecovery({ recover, clock, log }: RetryRecoveryOptions): RetryRecovery {
  const stop = new AbortController()
  let retrying: Promise<void> | undefined

  async function retry(): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LAST_WAIT_MS)) {
      try {
        await clock.sleep(waitMs, stop.signal)
        if ((await recover()) === 0) return
      } catch (error) {
        if (stop.signal.aborted) return
        log.warn({ err: error }, 'interrupted deletions could not be looked at')
      }
    }
  }

  return {
    begin() {
      if (stop.signal.aborted) return
      retrying ??= retry().finally(() => {
        retrying = undefined
      })
    },
    async close() {
      stop.abort(new Error('the server stops'))
      await retrying
    },
  }
}
