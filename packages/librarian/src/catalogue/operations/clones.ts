/** Copies that are made from store to store (librarian 11.3, 12.2): what is under way, and what came of it. */
import type { Instant } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import { type RawBuilder, sql as raw, type Selectable } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import type { CloneTransferTable } from '../schema.ts'
import type { File, Instance } from './instances.ts'

export type CloneTransfer = Selectable<CloneTransferTable>

export interface NewClone {
  readonly sourceInstanceId: number
  readonly destinationStoreId: number
  /** What the bytes arrive in: 32 hex digits. */
  readonly spool: string
  readonly holder: string
  /** How the bytes come, as the wire names it. */
  readonly manager: string
}

/** All conditions must hold. */
export interface CloneSearch {
  readonly fromStoreId: number
  readonly toStoreIds: readonly number[]
  /** Copies that were made within so many seconds; undefined: of all ages. */
  readonly youngerThanSeconds?: number | undefined
  /** Copies that were made at least so many seconds ago. */
  readonly olderThanSeconds?: number | undefined
  /** Number of the copy behind which the page begins; 0: the first. */
  readonly after: number
  readonly limit: number
}

export type CloneCandidate = Instance & { readonly file: File }

export interface HeldClone {
  readonly id: number
  readonly holder: string
}

const open = ['INITIATED', 'ONGOING', 'STAGED'] as const

export const clones = {
  /**
   * Begins one, from a copy that is available and known to be good (C2), to a store that has none.
   *
   * @throws LibrarianError `NotFound`: there is no such copy · `Conflict`: it must not be copied, or not to there · `Busy`: it is
   *   being copied to there now
   */
  begin: write<NewClone, number>(async ({ sql, dialect }, clone) => {
    const source = await sql
      .selectFrom('instance')
      .selectAll()
      .where('id', '=', clone.sourceInstanceId)
      .executeTakeFirst()
    if (!source) {
      throw new LibrarianError('NotFound', `Cannot copy copy ${clone.sourceInstanceId}: there is none with this number`)
    }
    const { file_name, store_id, available, state, path } = source
    if (available !== 1 || state !== 'ok') {
      const is = available === 1 ? state : 'withdrawn'
      throw new LibrarianError('Conflict', `Cannot copy ${path}: it must be available and good, it is ${is}`)
    }
    const running = await sql
      .selectFrom('clone_transfer')
      .select('id')
      .where('file_name', '=', file_name)
      .where('destination_store_id', '=', clone.destinationStoreId)
      .where('status', 'in', open)
      .executeTakeFirst()
    if (running)
      throw new LibrarianError('Busy', `Cannot copy ${path}: clone ${running.id} brings it to that store now`)
    const { id } = await sql
      .insertInto('clone_transfer')
      .values({
        status: 'INITIATED',
        start_time: dialect.now(),
        end_time: null,
        source_store_id: store_id,
        destination_store_id: clone.destinationStoreId,
        transfer_manager_name: clone.manager,
        source_instance_id: clone.sourceInstanceId,
        destination_instance_id: null,
        reason: null,
        file_name,
        spool: clone.spool,
        holder: clone.holder,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    return id
  }),

  /** The bytes are on their way. False: it is not this process's any more. */
  start: write<HeldClone, boolean>(
    async (database, clone) => await change(database, clone, ['INITIATED'], { status: 'ONGOING' }),
  ),

  /** The copy is there, and was read. False: it is not this process's any more, or has ended. */
  end: write<HeldClone & { status: 'COMPLETED' | 'FAILED'; reason?: string | undefined }, boolean>(
    async (database, { status, reason = null, ...clone }) =>
      await change(database, clone, ['STAGED'], { status, reason, end_time: database.dialect.now() }),
  ),

  /** There is no copy. False: there is one, or may be soon, since its commit is under way; then it goes on. */
  giveUp: write<HeldClone & { reason: string }, boolean>(async (database, { reason, ...clone }) => {
    const intents = database.sql.selectFrom('intent').select('id').where('clone_transfer_id', '=', clone.id)
    if (await intents.executeTakeFirst()) return false
    const end = { status: 'FAILED', reason, end_time: database.dialect.now() } as const
    return await change(database, clone, ['INITIATED', 'ONGOING'], end)
  }),

  get: read<{ id: number }, CloneTransfer | undefined>(
    async ({ sql }, { id }) =>
      await sql.selectFrom('clone_transfer').selectAll().where('id', '=', id).executeTakeFirst(),
  ),

  /** Those that have not ended, the oldest first, with whether a commit of theirs is under way. */
  open: read<void, (CloneTransfer & { readonly isCommitting: boolean })[]>(async ({ sql }) => {
    const rows = await sql
      .selectFrom('clone_transfer')
      .leftJoin('intent', 'intent.clone_transfer_id', 'clone_transfer.id')
      .selectAll('clone_transfer')
      .select('intent.id as intent_id')
      .where('clone_transfer.status', 'in', open)
      .where('clone_transfer.holder', 'is not', null)
      .orderBy('clone_transfer.id')
      .execute()
    return rows.map(({ intent_id, ...row }) => ({ ...row, isCommitting: intent_id !== null }))
  }),

  /** Makes a dead process's clone another's, unless somebody was faster. */
  takeOver: write<HeldClone & { from: string }, boolean>(async ({ sql }, { id, holder, from }) => {
    const { numUpdatedRows } = await sql
      .updateTable('clone_transfer')
      .set({ holder })
      .where('id', '=', id)
      .where('holder', '=', from)
      .where('status', 'in', open)
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }),

  /** Good copies on a store whose files have none on any of the others, nor one on its way there; by number. */
  candidates: read<CloneSearch, CloneCandidate[]>(async ({ sql, dialect }, search) => {
    const { fromStoreId, toStoreIds, youngerThanSeconds, olderThanSeconds, after, limit } = search
    let query = sql
      .selectFrom('instance')
      .selectAll()
      .where('store_id', '=', fromStoreId)
      .where('available', '=', 1)
      .where('state', '=', 'ok')
      .where('id', '>', after)
    if (youngerThanSeconds !== undefined)
      query = query.where('created_time', '>=', dialect.nowPlus(-youngerThanSeconds))
    // What is dated in the future is not old (E4).
    if (olderThanSeconds !== undefined) query = query.where('created_time', '<=', dialect.nowPlus(-olderThanSeconds))
    const stores = raw.join(toStoreIds)
    const copies = await query
      .where(
        raw<boolean>`NOT EXISTS (SELECT 1 FROM instance AS other WHERE other.file_name = instance.file_name
          AND other.store_id IN (${stores}))`,
      )
      .where(
        raw<boolean>`NOT EXISTS (SELECT 1 FROM clone_transfer AS clone WHERE clone.file_name = instance.file_name
          AND clone.destination_store_id IN (${stores}) AND clone.status IN ('INITIATED','ONGOING','STAGED'))`,
      )
      .orderBy('id')
      .limit(limit)
      .execute()
    return await withFiles({ sql, dialect }, copies)
  }),
}

export async function withFiles({ sql }: Database, copies: readonly Instance[]): Promise<CloneCandidate[]> {
  if (copies.length === 0) return []
  const names = copies.map(({ file_name }) => file_name)
  const files = await sql.selectFrom('file').selectAll().where('name', 'in', names).execute()
  const byName = new Map(files.map(file => [file.name, file]))
  return copies.map(copy => ({ ...copy, file: byName.get(copy.file_name)! }))
}

async function change(
  { sql }: Database,
  { id, holder }: HeldClone,
  from: readonly CloneTransfer['status'][],
  to: {
    readonly status: CloneTransfer['status']
    readonly reason?: string | null
    readonly end_time?: RawBuilder<Instant>
  },
): Promise<boolean> {
  const { numUpdatedRows } = await sql
    .updateTable('clone_transfer')
    .set(to)
    .where('id', '=', id)
    .where('holder', '=', holder)
    .where('status', 'in', from)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}
