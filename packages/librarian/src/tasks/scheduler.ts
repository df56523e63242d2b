/**
 * Recurring tasks (librarian 12.0): each entry of the settings is a piece of work of the engine, wanted at once when a process
 * starts, and again after each of its runs. Whichever process gets a piece runs the task; one at a time of an entry, and of a
 * kind as many as it allows.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { TaskState } from '../catalogue/operations/tasks.ts'
import type { BackgroundSettings } from '../config/background.ts'
import type { Handler, TaskEngine } from '../engine/engine.ts'
import type { Act } from '../services/act.ts'
import { type Entry, entriesOf, pauseMs } from './entries.ts'
import { type RunTaskOptions, runTask, type TaskReport } from './run-task.ts'
import type { TaskKind } from './task.ts'

export interface SchedulerOptions extends RunTaskOptions {
  readonly settings: BackgroundSettings
  readonly kinds: readonly TaskKind[]
  readonly engine: TaskEngine
  readonly catalogue: Pick<Catalogue, 'tasks'>
}

export type TaskRunReport = Pick<Entry, 'kind' | 'name'> & TaskReport

export interface Scheduler {
  /** All of them run soon, but those with times of their own. Before the engine works. */
  start(): Promise<void>
  /** All that are known, also those of other processes. */
  list(): Promise<readonly TaskState[]>
  /** It runs as soon as somebody can; also one that is off. @throws LibrarianError NotFound */
  runNow(id: string, act?: Act): Promise<TaskState>
  /** A librarian was added or removed: what the settings have for it runs and finds out, or when added waits for its time. */
  reconsider(librarian: string, isThere: boolean): Promise<void>
  /** Each once, one after the other, here and now (`--once`). Rejects with the signal's reason. */
  runAll(signal: AbortSignal): Promise<readonly TaskRunReport[]>
}

/** Another process has it: when to look again, ms. */
const TAKEN_MS = 5000

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { settings, engine, catalogue, clock, log } = options
  const kinds = new Map(options.kinds.map(kind => [kind.key, kind]))
  const all = entriesOf(settings)
  const entries = all.filter(({ kind }) => kinds.has(kind))
  const byId = new Map(entries.map(entry => [entry.id, entry]))

  const handler: Handler = async (id, { signal }) => {
    const entry = byId.get(id)
    // Of settings that are no more.
    if (!entry) return undefined
    const { outcome } = await runTask(entry, kinds.get(entry.kind) as TaskKind, signal, options)
    if (outcome === 'taken') return { againInMs: TAKEN_MS }
    const pause = outcome === 'off' ? undefined : pauseMs(entry.settings, clock.wallNow())
    return pause === undefined ? undefined : { againInMs: pause }
  }

  const handle = ({ key, atOnce = 1 }: Pick<TaskKind, 'key' | 'atOnce'>) => {
    const count = entries.filter(({ kind }) => kind === key).length
    return engine.handle(queueOf(key), handler, { atOnce: Math.min(atOnce, count), atOnceEverywhere: atOnce })
  }

  async function start(): Promise<void> {
    for (const { kind, name } of all) {
      if (!kinds.has(kind)) log.warn({ task: name, kind }, 'The settings have a task that nothing here can do')
    }
    const now = clock.wallNow()
    const first = entries.map(entry => ({ ...entry, inMs: firstPauseMs(entry.settings, now) }))
    await catalogue.tasks.synchronise({
      entries: first.map(({ id, kind, name, inMs }) => ({
        id,
        kind,
        name,
        inSeconds: inMs === undefined ? null : inMs / 1000,
      })),
    })
    for (const kind of kinds.values()) if (entries.some(entry => entry.kind === kind.key)) await handle(kind)
    for (const { id, kind, inMs } of first) {
      if (inMs !== undefined) await engine.want(queueOf(kind), id, { inMs })
    }
  }

  async function runNow(id: string, act?: Act): Promise<TaskState> {
    const isThere = await catalogue.tasks.ask({ id, act: act?.entry() })
    const task = isThere && (await catalogue.tasks.find({ id }))
    if (!task) throw new LibrarianError('NotFound', `Cannot run the task ${id}: there is none`)
    const key = task.kind as TaskKind['key']
    // A process that answers calls has not said yet how it is done.
    await handle({ key, atOnce: kinds.get(key)?.atOnce })
    await engine.want(queueOf(key), id)
    return task
  }

  async function reconsider(librarian: string, isThere: boolean): Promise<void> {
    for (const { id, kind, settings } of entries) {
      const { key, atOnce, librarian: librarianOf } = kinds.get(kind) as TaskKind
      if (librarianOf?.(settings) !== librarian) continue
      const inMs = isThere ? firstPauseMs(settings, clock.wallNow()) : 0
      // Of one without a row no process has begun: it is wanted when that does.
      if (inMs === undefined || !(await catalogue.tasks.ask({ id, inSeconds: inMs / 1000 }))) continue
      await handle({ key, atOnce })
      await engine.want(queueOf(kind), id, { inMs })
    }
  }

  return {
    start,
    list: () => catalogue.tasks.list(),
    runNow,
    reconsider,
    async runAll(signal) {
      const reports: TaskRunReport[] = []
      for (const entry of entries) {
        const { kind, name } = entry
        signal.throwIfAborted()
        reports.push({ kind, name, ...(await runTask(entry, kinds.get(kind) as TaskKind, signal, options)) })
      }
      return reports
    },
  }
}

/** When it runs for the first time; undefined: not by itself. */
function firstPauseMs(settings: Entry['settings'], now: number): number | undefined {
  return settings.at === undefined ? 0 : pauseMs(settings, now)
}

function queueOf(kind: TaskKind['key']): string {
  return `task/${kind}`
}
