/** What is in the trash because two administrators wanted all copies of its file gone (reliability B8). */
import type { ExpressionBuilder } from 'kysely'
import type { Dialect } from '../dialect.ts'
import type { Database } from '../operation.ts'
import type { Schema } from '../schema.ts'
import type { Trash } from './deletions.ts'

export interface DueAfter {
  /** How long the trash keeps what was deleted; what was destroyed stays for 30 days at least. */
  readonly olderThanSeconds: number
}

/** How long the trash keeps what was destroyed, unless it keeps everything longer, s. */
export const destroyedSeconds = 30 * 86_400

/** Of the trash that has waited long enough, by the database's clock. */
export function isDue({ nowPlus }: Dialect, olderThanSeconds: number) {
  const longer = Math.max(olderThanSeconds, destroyedSeconds)
  return ({ and, eb, or }: ExpressionBuilder<Schema, 'trash'>) =>
    or([
      and([eb('destruction', 'is', null), eb('trashed', '<', nowPlus(-olderThanSeconds))]),
      and([eb('destruction', 'is not', null), eb('trashed', '<', nowPlus(-longer))]),
    ])
}

/** Whether it went by a destruction of which no copy was brought back. */
export async function isAgreed({ sql }: Database, { destruction }: Pick<Trash, 'destruction'>): Promise<boolean> {
  if (destruction === null) return false
  const agreed = sql.selectFrom('destruction').select('id').where('state', '=', 'confirmed')
  return (await agreed.where('id', '=', destruction).executeTakeFirst()) !== undefined
}

/** Somebody wants a copy back: from now on the others are purged like all else. */
export async function undoDestruction({ sql }: Database, { destruction }: Pick<Trash, 'destruction'>): Promise<void> {
  if (destruction === null) return
  const confirmed = sql.updateTable('destruction').set({ state: 'undone' }).where('state', '=', 'confirmed')
  await confirmed.where('id', '=', destruction).execute()
}
