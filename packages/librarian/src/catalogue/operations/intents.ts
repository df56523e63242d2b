/**
 * The rows of a commit (reliability 8.11). Each operation takes a batch and answers per work, in order: a work that cannot
 * go on never stops its neighbours. Writes name the intent's token and holder; where they match no row, another process has
 * taken the intent over, and the caller must stop without touching anything (`stale`).
 */
import { read, write } from '../operation.ts'
import { beginWorks } from './intents/begin.ts'
import type {
  BeginOutcome,
  BeginWork,
  FailedWork,
  Intent,
  PreparedOutcome,
  PreparedWork,
  PublishedWork,
} from './intents/contract.ts'
import { failWork, finishWorks } from './intents/finish.ts'
import { recordPrepared } from './intents/prepared.ts'
import { deleteFinished } from './intents/rows.ts'

export type * from './intents/contract.ts'

export const intents = {
  /** Records the intents and reserves the names. Forgets works whose private copies are gone, for the price of nothing. */
  begin: write<{ holder: string; works: readonly BeginWork[]; forget: readonly string[] }, BeginOutcome[]>(
    async (database, args) => await beginWorks(database, args),
  ),

  /** Records what was verified, before it is published. */
  prepared: write<{ holder: string; works: readonly PreparedWork[] }, PreparedOutcome[]>(
    async (database, { holder, works }) => await recordPrepared(database, holder, works),
  ),

  /** The commit itself: file, instance, proof, transfer, and the intent gone. True where it is done. */
  finish: write<{ holder: string; by: string; works: readonly PublishedWork[] }, boolean[]>(
    async (database, { holder, by, works }) => await finishWorks(database, holder, by, works),
  ),

  /** Gives works up. True where this was still ours to do. */
  fail: write<{ holder: string; works: readonly FailedWork[] }, boolean[]>(async (database, { holder, works }) => {
    const done: boolean[] = []
    for (const work of works) done.push(await failWork(database, holder, work))
    return done
  }),

  /** Live intents, oldest first. */
  list: read<{ storeId?: number } | undefined, Intent[]>(async ({ sql }, args) => {
    const all = sql.selectFrom('intent').selectAll().orderBy('started').orderBy('id')
    return await (args?.storeId === undefined ? all : all.where('store_id', '=', args.storeId)).execute()
  }),

  ofTransfer: read<{ transferId: number }, Intent | undefined>(
    async ({ sql }, { transferId }) =>
      await sql.selectFrom('intent').selectAll().where('incoming_transfer_id', '=', transferId).executeTakeFirst(),
  ),

  /** Makes an intent another process's, unless somebody was faster. The old holder's writes match nothing from now on. */
  takeOver: write<{ id: string; token: number; holder: string }, Intent | undefined>(
    async ({ sql }, { id, token, holder }) =>
      await sql
        .updateTable('intent')
        .set({ holder, token: token + 1 })
        .where('id', '=', id)
        .where('token', '=', token)
        .returningAll()
        .executeTakeFirst(),
  ),

  /** What is known of works whose private copies are there: of commits, and of repairs. */
  know: read<{ ids: readonly string[] }, ('live' | 'finished' | 'unknown')[]>(async ({ sql }, { ids }) => {
    if (ids.length === 0) return []
    const live = await sql.selectFrom('intent').select('id').where('id', 'in', ids).execute()
    const finished = await sql.selectFrom('finished_work').select('id').where('id', 'in', ids).execute()
    const repairs = sql.selectFrom('repair').select('id').where('state', 'in', ['begun', 'replacing'])
    const isLive = new Set([...live, ...(await repairs.where('id', 'in', ids).execute())].map(({ id }) => id))
    const isFinished = new Set(finished.map(({ id }) => id))
    return ids.map(id => (isLive.has(id) ? 'live' : isFinished.has(id) ? 'finished' : 'unknown'))
  }),

  /** Works whose private copies are gone need not be known any longer. */
  forget: write<{ ids: readonly string[] }, void>(async (database, { ids }) => {
    await deleteFinished(database, ids)
  }),

  finished: read<{ limit: number }, string[]>(async ({ sql }, { limit }) => {
    const rows = await sql.selectFrom('finished_work').select('id').orderBy('time').limit(limit).execute()
    return rows.map(({ id }) => id)
  }),
}
