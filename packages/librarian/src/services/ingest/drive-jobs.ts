/** Ingest jobs as pieces of the task engine: any process that works may do them. */
import type { Clock } from '../../clock.ts'
import type { Handler, TaskEngine } from '../../engine/engine.ts'
import type { Log } from '../../log.ts'
import type { JobRunner } from './job-runner.ts'

export interface JobDriverOptions {
  readonly runner: JobRunner
  readonly engine: TaskEngine
  readonly clock: Clock
  readonly log: Log
  /** Jobs at once, of this process. Default 2. */
  readonly jobs?: number | undefined
  /** How often jobs are looked for that nobody wants: their maker died before it could say so. Default 60,000. */
  readonly everyMs?: number | undefined
}

export interface JobDriver {
  /** To be awaited before the engine works. */
  start(): Promise<void>
  /** A job was made or changed: somebody looks at it now. One that runs here stops first. */
  wake(jobId: string): void
  /** Until the signal. */
  work(signal: AbortSignal): Promise<void>
}

const queue = 'ingest'
/** The lease of who died is not over yet, or somebody else has it: when to look again, ms. */
const TAKEN_MS = 2000

export function createJobDriver(options: JobDriverOptions): JobDriver {
  const { runner, engine, clock, log, jobs = 2, everyMs = 60_000 } = options
  const running = new Map<string, AbortController>()

  const handler: Handler = async (id, { signal }) => {
    const stop = new AbortController()
    running.set(id, stop)
    try {
      const end = await runner.run(id, { signal: AbortSignal.any([signal, stop.signal]) })
      if (end === 'taken') return { againInMs: TAKEN_MS }
      if (end === 'ended') return undefined
    } finally {
      if (running.get(id) === stop) running.delete(id)
    }
    signal.throwIfAborted()
    if (stop.signal.aborted) return { againInMs: 0 }
    throw new Error('The job stopped before its end')
  }

  async function want(id: string): Promise<void> {
    try {
      await engine.want(queue, id)
    } catch (error) {
      log.warn({ err: error, job: id }, 'A job could not be handed to the workers yet; the next try is soon')
    }
  }

  return {
    start: () => engine.handle(queue, handler, { atOnce: jobs }),
    wake(id) {
      running.get(id)?.abort(new Error('The job was changed'))
      void want(id)
    },
    async work(signal) {
      while (!signal.aborted) {
        try {
          for (const id of await runner.open()) await want(id)
        } catch (error) {
          log.warn({ err: error }, 'Jobs could not be looked for; the next try is soon')
        }
        await clock.sleep(everyMs, signal).catch(() => {})
      }
    },
  }
}
