/** The embedded runner: a few jobs at once in this process, looked for when one is made and every few seconds. */
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { JobRunner } from './job-runner.ts'

export interface RunnerOptions {
  readonly runner: JobRunner
  readonly clock: Clock
  readonly log: Log
  /** Jobs at once. Default 2. */
  readonly jobs?: number | undefined
  /** How often jobs are looked for that nobody told us of: another process's, or of one that died. Default 10,000. */
  readonly everyMs?: number | undefined
}

export interface Runner {
  /** Look now: a job was made or changed. One that is cancelled and runs here is stopped. */
  wake(jobId?: string): void
  /** Resolves when the signal has ended it and every job has stopped. */
  work(signal: AbortSignal): Promise<void>
}

export function createRunner({ runner, clock, log, jobs = 2, everyMs = 10_000 }: RunnerOptions): Runner {
  const running = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>()
  let nudge = new AbortController()

  async function look(signal: AbortSignal): Promise<void> {
    for (const id of await runner.open()) {
      if (running.size >= jobs) return
      if (!running.has(id) && !signal.aborted) start(id, signal)
    }
  }

  function start(id: string, signal: AbortSignal): void {
    const stop = new AbortController()
    const run = runner.run(id, { signal: AbortSignal.any([signal, stop.signal]) })
    const ended = run.then(
      end => {
        running.delete(id)
        // A place is free for the next one.
        if (end === 'ended') nudge.abort()
      },
      error => {
        running.delete(id)
        log.error({ err: error, job: id }, 'A job stopped; it is tried again')
      },
    )
    running.set(id, { stop, ended })
  }

  return {
    wake(jobId) {
      const known = jobId === undefined ? undefined : running.get(jobId)
      if (known) known.stop.abort(new Error('The job was changed'))
      nudge.abort()
    },
    async work(signal) {
      while (!signal.aborted) {
        nudge = new AbortController()
        await look(signal).catch(error =>
          log.warn({ err: error }, 'Jobs could not be looked for; the next try is soon'),
        )
        await clock.sleep(everyMs, AbortSignal.any([signal, nudge.signal])).catch(() => {})
      }
      await Promise.all([...running.values()].map(({ ended }) => ended))
    },
  }
}
