/** What tasks that go through a store page by page have in common. */
import { z } from 'zod'
import type { Stores } from '../stores/stores.ts'
import type { TaskResult } from './task.ts'

export const daySeconds = 86_400

const cursor = z.object({ after: z.int().nonnegative() })

/** Number of the copy behind which a run goes on; 0: the first. What an older version kept is nothing. */
export function cursorAfter(kept: unknown): number {
  const parsed = cursor.safeParse(kept)
  return parsed.success ? parsed.data.after : 0
}

/** @param after where the next run goes on; undefined: everything was looked at */
export function outcomeOf(needsPerson: boolean, after: number | undefined): TaskResult['outcome'] {
  if (needsPerson) return 'failed'
  return after === undefined ? 'done' : 'partial'
}

/** The settings name a store that is not there (librarian 12.0). */
export function off(names: readonly string[], stores: Pick<Stores, 'byName'>): TaskResult {
  const missing = names.filter(name => stores.byName(name) === undefined)
  return { outcome: 'off', note: `there is no store ${missing.join(', ')}`, counts: {} }
}
