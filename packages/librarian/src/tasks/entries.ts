/** The entries of the settings as tasks with names of their own. */
import { createHash } from 'node:crypto'
import type { TaskEntry } from '../catalogue/operations/tasks.ts'
import type { BackgroundSettings } from '../config/background.ts'
import { nextTime } from '../config/cron.ts'
import type { TaskKey, TaskSettings } from './task.ts'

export interface Entry extends TaskEntry {
  readonly kind: TaskKey
  readonly settings: TaskSettings
}

/** In the order in which they are scheduled. An entry that says the same keeps its id; twins have a number behind it. */
export function entriesOf(settings: BackgroundSettings): Entry[] {
  const seen = new Map<string, number>()
  return Object.entries(settings).flatMap(([kind, list]) => {
    if (!Array.isArray(list)) return []
    return (list as TaskSettings[]).map(entry => {
      const id = `${kind}:${digestOf(entry)}`
      const count = (seen.get(id) ?? 0) + 1
      seen.set(id, count)
      return { id: count === 1 ? id : `${id}-${count}`, kind: kind as TaskKey, name: entry.task_name, settings: entry }
    })
  })
}

function digestOf(entry: object): string {
  const sorted = Object.entries(entry)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16)
}

/** A task that is always due would leave no time for anything else. */
const LEAST_MS = 1000

/** How long after the end of a run the next one begins, ms; undefined: no time comes any more. */
export function pauseMs({ every, at }: TaskSettings, wallNow: number): number | undefined {
  if (at === undefined) return Math.max(LEAST_MS, every ?? 0)
  const next = nextTime(at, wallNow)
  return next === undefined ? undefined : Math.max(LEAST_MS, next - wallNow)
}
