/** What becomes of the bytes in the trash: restored, or purged (reliability B2). Only the deletion gate changes these rows. */
import type { Instant } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import { pageLimit } from '../limits.ts'
import { type Database, read, write } from '../operation.ts'
import { takeOrder } from '../trail-order.ts'
import { demandBrake, demandNoneGoing, demandProofs, type Proofs } from './deletion-rules.ts'
import { appendTrashAct, type Evidence, type Held, move, type Trash } from './deletions.ts'
import { type DueAfter, isAgreed, isDue, undoDestruction } from './destroyed.ts'
import { unread } from './instances.ts'

export interface TrashCursor {
  readonly trashed: Instant
  readonly id: string
}

export interface BeginPurge extends Held, Proofs, DueAfter {
  readonly evidence: readonly Evidence[]
}

export const trash = {
  get: read<{ id: string }, Trash | undefined>(
    async ({ sql }, { id }) => await sql.selectFrom('trash').selectAll().where('id', '=', id).executeTakeFirst(),
  ),

  /** Those that can still be restored, oldest first. */
  list: read<{ storeId?: number | undefined; after?: TrashCursor | undefined; limit?: number | undefined }, Trash[]>(
    async ({ sql }, { storeId, after, limit }) => {
      let query = sql.selectFrom('trash').selectAll().where('state', '=', 'trashed')
      if (storeId !== undefined) query = query.where('store_id', '=', storeId)
      return await pageAfter(query, after, pageLimit(limit)).execute()
    },
  ),

  /** Those that have waited long enough, by the database's clock, oldest first. */
  due: read<DueAfter & { after?: TrashCursor | undefined; limit: number }, Trash[]>(
    async ({ sql, dialect }, { olderThanSeconds, after, limit }) => {
      const query = sql.selectFrom('trash').selectAll().where('state', '=', 'trashed')
      const old = query.where(isDue(dialect, olderThanSeconds))
      return await pageAfter(old, after, limit).execute()
    },
  ),

  /** Whether it went by a destruction that nobody has undone: then it is purged without proofs (B8). */
  isAgreed: read<{ id: string }, boolean>(async (database, { id }) => {
    const row = await database.sql.selectFrom('trash').select('destruction').where('id', '=', id).executeTakeFirst()
    return row !== undefined && (await isAgreed(database, row))
  }),

  /** @throws LibrarianError `NotFound`; `Conflict` where it is not in the trash any more; `FileExists`; `Busy` */
  beginRestore: write<Held, Trash>(async (database, { id, holder }) => {
    const { sql } = database
    const row = await sql.selectFrom('trash').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw new LibrarianError('NotFound', `Cannot restore ${id}: there is no such thing in the trash`)
    if (row.state !== 'trashed') {
      throw new LibrarianError('Conflict', `Cannot restore ${row.path}: it must be in the trash, it is ${row.state}`)
    }
    const { file_name, store_id } = row
    const copy = await sql
      .selectFrom('instance')
      .select('id')
      .where('file_name', '=', file_name)
      .where('store_id', '=', store_id)
      .executeTakeFirst()
    if (copy) {
      throw new LibrarianError('FileExists', `Cannot restore ${row.path}: its store has another copy of ${file_name}`, {
        remedy: 'Nothing is lost: the other copy is in its place.',
      })
    }
    const coming = await sql
      .selectFrom('intent')
      .select('id')
      .where('file_name', '=', file_name)
      .where('store_id', '=', store_id)
      .executeTakeFirst()
    if (coming) throw new LibrarianError('Busy', `Cannot restore ${row.path}: a new copy is being put there now`)
    await undoDestruction(database, row)
    return await sql
      .updateTable('trash')
      .set({ state: 'restoring', holder, trail_order: await takeOrder(database) })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
  }),

  /**
   * The bytes are back under their name: so is the copy, under its old number, as one that nobody has read yet. It is available
   * if it was.
   */
  finishRestore: write<Held & { actor: string }, boolean>(async (database, { actor, ...held }) => {
    const { sql, dialect } = database
    const row = await move(database, held, 'restoring', { state: 'restored' })
    if (!row) return false
    await sql
      .insertInto('instance')
      .values({
        id: row.instance_id,
        path: row.path,
        file_name: row.file_name,
        store_id: row.store_id,
        deletion_policy: row.deletion_policy,
        created_time: dialect.now(),
        available: row.available,
        state: 'never-checked',
        ...unread,
        withdrawn_by: row.withdrawn_by,
      })
      .execute()
    await appendTrashAct(database, row, { action: 'deletion/restore', actor, outcome: 'done' })
    return true
  }),

  /** The bytes stay in the trash. */
  cancelRestore: write<Held, boolean>(
    async (database, held) => (await move(database, held, 'restoring', { state: 'trashed' })) !== undefined,
  ),

  /**
   * B1 from scratch, unless two administrators wanted all copies gone (B8): refused like the deletion was (`KeepsLastCopy`, `Busy`, `TooMany`). Undefined: it is not in the trash any
   * more, or not long enough.
   */
  beginPurge: write<BeginPurge, Trash | undefined>(async (database, purge) => {
    const { id, holder, olderThanSeconds, evidence } = purge
    const { sql, dialect } = database
    const row = await sql
      .selectFrom('trash')
      .selectAll()
      .where('id', '=', id)
      .where('state', '=', 'trashed')
      .where(isDue(dialect, olderThanSeconds))
      .executeTakeFirst()
    if (!row) return undefined
    await demandNoneGoing(database, row.file_name, id)
    if (!(await isAgreed(database, row))) await demandProofs(database, row.file_name, row.instance_id, purge)
    await demandBrake(database, row.store_id, 'purged')
    const proofs = JSON.stringify(evidence)
    return await sql
      .updateTable('trash')
      .set({ state: 'purging', holder, proofs, trail_order: await takeOrder(database) })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
  }),

  /** The bytes are gone. */
  finishPurge: write<Held & { actor: string }, boolean>(async (database, { actor, ...held }) => {
    const row = await move(database, held, 'purging', { state: 'purged', purged: database.dialect.now() })
    if (!row) return false
    await appendTrashAct(database, row, { action: 'deletion/purge', actor, outcome: 'done' })
    return true
  }),

  /** What is left of the bytes stays in the trash. */
  cancelPurge: write<Held, boolean>(
    async (database, held) => (await move(database, held, 'purging', { state: 'trashed' })) !== undefined,
  ),
}

function pageAfter<Query extends ReturnType<typeof selection>>(
  query: Query,
  after: TrashCursor | undefined,
  limit: number,
) {
  const rest = after
    ? query.where(({ eb, refTuple, tuple }) => eb(refTuple('trashed', 'id'), '>', tuple(after.trashed, after.id)))
    : query
  return rest.orderBy('trashed').orderBy('id').limit(limit)
}

function selection({ sql }: Database) {
  return sql.selectFrom('trash').selectAll()
}
