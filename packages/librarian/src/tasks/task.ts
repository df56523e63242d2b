/**
 * Recurring background work (librarian 12): small, idempotent, restartable functions over services. A file per task in this
 * folder says what it is and calls one service; what is under way is in the catalogue and never in the task.
 */
import type { BackgroundSettings } from '../config/background.ts'

/** Keys of the settings that hold lists of tasks. */
export type TaskKey = {
  [Key in keyof BackgroundSettings]: BackgroundSettings[Key] extends readonly unknown[] ? Key : never
}[keyof BackgroundSettings]

/** One entry of the settings. */
export type TaskSettings<Key extends TaskKey = TaskKey> = BackgroundSettings[Key] extends readonly (infer Entry)[]
  ? Entry
  : never

export interface TaskKind<Key extends TaskKey = TaskKey> {
  /** Key in the settings. */
  readonly key: Key
  /** Tasks of this kind at once, in all processes together. Default 1. */
  readonly atOnce?: number | undefined
  /** The librarian that an entry is for: it runs when that is added or removed, and so comes back from `off`, or goes there. */
  librarian?(settings: TaskSettings<Key>): string
  /** One run of one entry. Run twice at once by mistake, it does no harm (reliability E2). */
  run(settings: TaskSettings<Key>, context: TaskContext): Promise<TaskResult>
}

/** Keeps the entry's type. */
export function task<Key extends TaskKey>(kind: TaskKind<Key>): TaskKind {
  return kind as unknown as TaskKind
}

export interface TaskContext {
  /** The process stops, or the lease went to another: end at once; the next run goes on. */
  readonly signal: AbortSignal
  /** Asked between items: `soft_timeout` has passed, so end here and say `partial`. */
  isOverdue(): boolean
  /** For people who look while it runs; may be called for every item. */
  progress(counts: TaskCounts): void
  /** What the last run left by `keep`; undefined: nothing. */
  readonly cursor: unknown
  /** JSON that the next run finds as `cursor`, durable soon; undefined: nothing. */
  keep(cursor: unknown): void
}

export type TaskCounts = Readonly<Record<string, number>>

export interface TaskResult {
  /**
   * `done`: everything that there was · `partial`: the next run goes on · `failed`: something needs a person, who was alarmed ·
   * `off`: the settings name what is not there, so that it is not run again before the next start (librarian 12.0), or before the
   * librarian that it is for was added
   */
  readonly outcome: 'done' | 'partial' | 'failed' | 'off'
  /** One line for people. */
  readonly note: string
  readonly counts: TaskCounts
}
