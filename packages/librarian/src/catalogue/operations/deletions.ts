/** The rows of a removal (reliability 8.12). Only the deletion gate uses these. */
import { LibrarianError } from '@arriero/api'
import type { Selectable } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import type { TrashTable } from '../schema.ts'

export type Trash = Selectable<TrashTable>

export interface BeginDeletion {
  /** 32 hex digits: of the trash. */
  readonly id: string
  /** This process. */
  readonly holder: string
  readonly instanceId: number
  readonly reason: string
  /** Copies that were just read in full and found good: they must still be there. */
  readonly proofInstanceIds: readonly number[]
}

export const deletions = {
  /**
   * Marks a copy as going. Refused while another copy of the file is going, or when one that counts as proof is not there
   * any more (B6), or when the store has lost too many within a day (B4).
   */
  begin: write<BeginDeletion, Trash>(async (database, { id, holder, instanceId, reason, proofInstanceIds }) => {
    const { sql, dialect } = database
    const copy = await sql.selectFrom('instance').selectAll().where('id', '=', instanceId).executeTakeFirst()
    if (!copy) throw new LibrarianError('NotFound', `Cannot delete copy ${instanceId}: there is none with this number`)
    const { file_name, store_id, path } = copy
    const going = await sql
      .selectFrom('trash')
      .select('id')
      .where('file_name', '=', file_name)
      .where('state', '=', 'deleting')
      .executeTakeFirst()
    if (going)
      throw new LibrarianError('Busy', `Cannot delete a copy of ${file_name}: another one is being deleted now`)
    await demandProofs(database, file_name, instanceId, proofInstanceIds)
    await demandBrake(database, store_id)
    await sql.updateTable('instance').set({ available: 0 }).where('id', '=', instanceId).execute()
    return await sql
      .insertInto('trash')
      .values({
        id,
        state: 'deleting',
        holder,
        instance_id: instanceId,
        file_name,
        store_id,
        path,
        reason,
        trashed: dialect.now(),
        purged: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
  }),

  /** The bytes are in the trash: the copy's row goes, the trash's row stays. False: that was done before. */
  finish: write<{ id: string }, boolean>(async ({ sql, dialect }, { id }) => {
    const trash = await sql
      .updateTable('trash')
      .set({ state: 'trashed', trashed: dialect.now() })
      .where('id', '=', id)
      .where('state', '=', 'deleting')
      .returning('instance_id')
      .executeTakeFirst()
    if (!trash) return false
    await sql.deleteFrom('corrupt_file').where('instance_id', '=', trash.instance_id).execute()
    await sql.deleteFrom('instance').where('id', '=', trash.instance_id).execute()
    return true
  }),

  /** The bytes stayed where they are: so does the copy. */
  cancel: write<{ id: string }, boolean>(async ({ sql }, { id }) => {
    const trash = await sql
      .updateTable('trash')
      .set({ state: 'kept' })
      .where('id', '=', id)
      .where('state', '=', 'deleting')
      .returning('instance_id')
      .executeTakeFirst()
    if (!trash) return false
    await sql.updateTable('instance').set({ available: 1 }).where('id', '=', trash.instance_id).execute()
    return true
  }),

  interrupted: read<void, Trash[]>(
    async ({ sql }) =>
      await sql.selectFrom('trash').selectAll().where('state', '=', 'deleting').orderBy('trashed').execute(),
  ),

  /** Takes a copy out of use without touching its bytes. Undefined: there is no such copy. */
  withdraw: write<{ instanceId: number }, { fileName: string; path: string } | undefined>(
    async ({ sql }, { instanceId }) => {
      const copy = await sql
        .updateTable('instance')
        .set({ available: 0 })
        .where('id', '=', instanceId)
        .returning(['file_name', 'path'])
        .executeTakeFirst()
      return copy && { fileName: copy.file_name, path: copy.path }
    },
  ),

  /** Forgets that another librarian holds a copy; it keeps it. False: there is no such row. */
  forgetRemote: write<{ remoteInstanceId: number }, boolean>(async ({ sql }, { remoteInstanceId }) => {
    const { numDeletedRows } = await sql
      .deleteFrom('remote_instance')
      .where('id', '=', remoteInstanceId)
      .executeTakeFirst()
    return numDeletedRows === 1n
  }),
}

async function demandProofs(
  { sql }: Database,
  fileName: string,
  victimId: number,
  proofInstanceIds: readonly number[],
): Promise<void> {
  const ids = new Set(proofInstanceIds.filter(id => id !== victimId))
  const there = ids.size
    ? await sql
        .selectFrom('instance')
        .select('id')
        .where('id', 'in', [...ids])
        .where('file_name', '=', fileName)
        .where('available', '=', 1)
        .where('state', '=', 'ok')
        .execute()
    : []
  if (ids.size > 0 && there.length === ids.size) return
  throw new LibrarianError(
    'KeepsLastCopy',
    `Cannot delete a copy of ${fileName}: every copy that counts as proof must still be there, ${there.length} of ${ids.size} are`,
  )
}

async function demandBrake({ sql, dialect }: Database, storeId: number): Promise<void> {
  const count = (rows: { n: number | string }) => Number(rows.n)
  const kept = count(
    await sql
      .selectFrom('instance')
      .select(eb => eb.fn.countAll<number | string>().as('n'))
      .where('store_id', '=', storeId)
      .executeTakeFirstOrThrow(),
  )
  const gone = count(
    await sql
      .selectFrom('trash')
      .select(eb => eb.fn.countAll<number | string>().as('n'))
      .where('store_id', '=', storeId)
      .where('state', 'in', ['deleting', 'trashed', 'purged'])
      .where('trashed', '>', dialect.nowPlus(-86_400))
      .executeTakeFirstOrThrow(),
  )
  const most = Math.max(100, Math.floor((kept + gone) / 100))
  if (gone < most) return
  throw new LibrarianError(
    'TooMany',
    `Cannot delete more from this store today: at most ${most} copies may go within a day, ${gone} went`,
    { remedy: 'Look at what was deleted and why; the next can go tomorrow.', retryAfterSeconds: 3600 },
  )
}
