/**
 * One run of one task: takes its row, says every few seconds that it goes on and how far it is, writes what came of it. Whoever
 * wakes after another has taken the row stops, and what it writes changes nothing (reliability E2).
 */
import { randomBytes } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { TaskRun } from '../catalogue/operations/tasks.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Alarms } from '../services/alarms.ts'
import { type Meters, noMeters } from '../services/meters.ts'
import { type Entry, pauseMs } from './entries.ts'
import type { TaskContext, TaskCounts, TaskKind, TaskResult } from './task.ts'

export interface RunTaskOptions {
  readonly catalogue: Pick<Catalogue, 'tasks'>
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  /** How often what a run tells is written, ms. Default 2,000. */
  readonly tellMs?: number | undefined
  /** Default: nobody counts. */
  readonly meters?: Pick<Meters, 'run'> | undefined
}

export interface TaskReport extends Omit<TaskResult, 'outcome'> {
  /** `taken`: another process has it, or as many of its kind as may run. */
  readonly outcome: TaskResult['outcome'] | 'taken'
}

/** Written also where there is nothing to tell: a run that is silent for long is nobody's. */
const SILENCE_MS = 10_000

/** Never rejects because of the task, whose failure is logged and told; with the signal's reason when that aborted it. */
export async function runTask(
  entry: Entry,
  kind: TaskKind,
  signal: AbortSignal,
  options: RunTaskOptions,
): Promise<TaskReport> {
  const { catalogue, clock, log, meters = noMeters } = options
  const { id, name } = entry
  const begunAt = clock.now()
  const of: TaskRun = { id, run: randomBytes(16).toString('hex') }
  const begun = await catalogue.tasks.begin({
    entry: { id, kind: entry.kind, name },
    run: of.run,
    atOnce: kind.atOnce ?? 1,
  })
  if (!begun) return taken
  const run = new Run(of, begun.cursor, options)
  const stops = AbortSignal.any([signal, run.lost])
  const telling = run.tell()
  let result: TaskResult
  try {
    result = await kind.run(entry.settings, run.context(entry.settings.soft_timeout, stops))
  } catch (error) {
    if (run.lost.aborted) return taken
    if (signal.aborted) {
      await run.end('interrupted', 'stopped with its process', 0)
      throw signal.reason
    }
    result = await failure(entry, error, options)
  } finally {
    run.over.abort()
    await telling
  }
  const pause = result.outcome === 'off' ? undefined : pauseMs(entry.settings, clock.wallNow())
  run.counts = result.counts
  const isOurs = await run.end(result.outcome, result.note, pause === undefined ? null : pause / 1000)
  meters.run({ kind: entry.kind, outcome: result.outcome, seconds: (clock.now() - begunAt) / 1000 })
  // One that found nothing to do, every few seconds, would be all that a log holds.
  const isIdle = result.outcome === 'done' && Object.values(result.counts).every(count => count === 0)
  log[isIdle ? 'debug' : 'info']({ task: name, kind: entry.kind, ...result }, 'a task has run')
  return isOurs ? result : taken
}

const taken: TaskReport = { outcome: 'taken', note: 'another process runs it, or others of its kind', counts: {} }

async function failure({ kind, name }: Entry, error: unknown, { alarms, log }: RunTaskOptions): Promise<TaskResult> {
  const note = error instanceof Error ? error.message : String(error)
  log.error({ err: error, task: name, kind }, 'A task failed; it runs again at its time')
  await alarms.raise({
    severity: 'error',
    category: error instanceof LibrarianError && error.code === 'Configuration' ? 'configuration' : 'programming',
    message: `The task ${name} failed: ${note}`,
    caller: `task:${kind}`,
  })
  return { outcome: 'failed', note, counts: {} }
}

class Run {
  counts: TaskCounts = {}
  readonly over = new AbortController()
  readonly #of: TaskRun
  readonly #o: RunTaskOptions
  readonly #lost = new AbortController()
  #cursor: string | null
  #hasNews = false

  constructor(of: TaskRun, cursor: string | null, options: RunTaskOptions) {
    this.#of = of
    this.#cursor = cursor
    this.#o = options
  }

  /** Aborted when it is another's. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  context(softTimeout: number | null, signal: AbortSignal): TaskContext {
    const { clock } = this.#o
    const begun = clock.now()
    return {
      signal,
      isOverdue: () => softTimeout !== null && clock.now() - begun >= softTimeout,
      progress: counts => {
        this.counts = counts
        this.#hasNews = true
      },
      cursor: this.#cursor === null ? undefined : JSON.parse(this.#cursor),
      keep: cursor => {
        this.#cursor = cursor === undefined ? null : JSON.stringify(cursor)
        this.#hasNews = true
      },
    }
  }

  async tell(): Promise<void> {
    const { clock, log, tellMs = 2000 } = this.#o
    const over = this.over.signal
    for (let told = clock.now(); ; ) {
      await clock.sleep(tellMs, over).catch(() => {})
      if (over.aborted || this.lost.aborted) return
      if (!this.#hasNews && clock.now() - told < SILENCE_MS) continue
      this.#hasNews = false
      try {
        await this.#tellNow()
        told = clock.now()
      } catch (error) {
        log.warn({ err: error, task: this.#of.id }, 'How far a task is could not be written')
      }
    }
  }

  async #tellNow(): Promise<void> {
    const { counts } = this
    const isOurs = await this.#o.catalogue.tasks.hear({
      of: this.#of,
      counts: JSON.stringify(counts),
      cursor: this.#cursor,
    })
    if (!isOurs) this.#lost.abort(new Error('Another process runs the task now'))
  }

  async end(outcome: TaskResult['outcome'] | 'interrupted', note: string, nextInSeconds: number | null) {
    const result = { outcome, note, counts: JSON.stringify(this.counts), cursor: this.#cursor }
    return await this.#o.catalogue.tasks.end({ of: this.#of, result, nextInSeconds })
  }
}
