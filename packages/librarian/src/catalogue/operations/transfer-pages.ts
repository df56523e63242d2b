/** Transfers of one direction, page by page, as the dashboard shows them. */
import type { Instant } from '@arriero/api'
import { sql } from 'kysely'
import { audited } from '../audited.ts'
import { type Database, read } from '../operation.ts'
import type { TransferStatus } from '../schema.ts'
import { isOpen } from './outgoing-states.ts'

export type Direction = 'in' | 'out'

export interface PagedTransfer {
  readonly id: number
  readonly fileName: string | null
  /** In: who sends, a user or a librarian. Out: where it goes. */
  readonly other: string
  readonly status: TransferStatus
  readonly size: number
  readonly checksum: string
  readonly method: string | null
  readonly started: Instant
  /** When bytes were last seen to move, or its batch was taken up; null: not known. */
  readonly active: Instant | null
  readonly ended: Instant | null
  readonly reason: string | null
  readonly remoteId: number | null
  readonly storeId: number | null
  /** Out: the item of the queue. */
  readonly batchId: number | null
  /** Out, while it is open: not before this time, after an attempt that failed. */
  readonly nextTry: Instant | null
}

/** The item of the queue in which an outgoing transfer is sent. */
export interface Batch {
  readonly id: number
  readonly created: Instant
  readonly taken: Instant | null
  readonly completed: Instant | null
  readonly nextTry: Instant | null
  readonly retries: number
  readonly reason: string | null
  readonly files: number
  readonly bytes: number
}

export interface TransferFilter {
  readonly direction: Direction
  readonly status?: TransferStatus | undefined
  readonly other?: string | undefined
}

/** Those that have ended count if they began within this time. */
const COUNTED_SECONDS = 86_400

export const transferPages = {
  /** Newest first, before a number. */
  list: read<TransferFilter & { before?: number | undefined; limit: number }, readonly PagedTransfer[]>(
    async (database, { before, limit, ...filter }) => {
      let query = filter.direction === 'in' ? incoming(database, filter) : outgoing(database, filter)
      if (before !== undefined) query = query.where(sql<boolean>`transfer.id < ${before}`)
      const rows = await query.orderBy('id', 'desc').limit(limit).execute()
      return rows
    },
  ),

  /** All that are open, and those of the last day that have ended. */
  counts: read<Omit<TransferFilter, 'status'>, Readonly<Partial<Record<TransferStatus, number>>>>(
    async ({ sql: db, dialect }, { direction, other }) => {
      const table = direction === 'in' ? 'incoming_transfer' : 'outgoing_transfer'
      // Not the bare source: its index would have all that ever came from there.
      const side = direction === 'in' ? sql`source || ''` : sql`destination`
      const whose = other === undefined ? sql`` : sql`AND ${side} = ${other}`
      const since = dialect.nowPlus(-COUNTED_SECONDS)
      const { rows } = await sql<{ status: TransferStatus; count: number | string }>`
        SELECT status, count(*) AS count FROM ${sql.table(table)} WHERE ${isOpen} ${whose} GROUP BY status
        UNION ALL
        SELECT status, count(*) AS count FROM ${sql.table(table)}
        WHERE status IN ('COMPLETED','FAILED','CANCELLED') AND start_time >= ${since} ${whose} GROUP BY status`.execute(
        db,
      )
      return Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]))
    },
  ),

  find: read<{ direction: Direction; id: number }, { transfer: PagedTransfer; batch: Batch | undefined } | undefined>(
    async (database, { direction, id }) => {
      const query = direction === 'in' ? incoming(database, {}) : outgoing(database, {})
      const transfer = await query.where('id', '=', id).executeTakeFirst()
      if (!transfer) return undefined
      return { transfer, batch: transfer.batchId === null ? undefined : await batchOf(database, transfer.batchId) }
    },
  ),

  /** An open batch that waits after a failed attempt is tried at once. False: there is none of this number, or it has ended. */
  hurry: audited<{ batchId: number }, boolean>(
    async ({ sql: db }, { batchId }) => {
      const { numUpdatedRows } = await db
        .updateTable('send_item')
        .set({ next_try: null })
        .where('id', '=', batchId)
        .where('completed', '=', 0)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    isDone => (isDone ? 'done' : undefined),
  ),
}

function incoming({ sql: db }: Database, { status, other }: Omit<TransferFilter, 'direction'>) {
  let inner = db
    .selectFrom('incoming_transfer')
    .select(['id', 'store_path as fileName', 'source as other', 'status', 'transfer_size as size'])
    .select(['transfer_checksum as checksum', 'transfer_manager_name as method', 'start_time as started'])
    .select(['active_time as active', 'end_time as ended', 'reason', 'source_transfer_id as remoteId'])
    .select(['store_id as storeId', sql<number | null>`NULL`.as('batchId'), sql<Instant | null>`NULL`.as('nextTry')])
  if (status !== undefined) inner = inner.where(isIn(status))
  if (other !== undefined) inner = inner.where('source', '=', other)
  return db.selectFrom(inner.as('transfer')).selectAll().$castTo<PagedTransfer>()
}

function outgoing({ sql: db }: Database, { status, other }: Omit<TransferFilter, 'direction'>) {
  let inner = db
    .selectFrom('outgoing_transfer')
    .leftJoin('send_item', 'send_item.id', 'outgoing_transfer.send_queue_id')
    .select(['outgoing_transfer.id', 'file_name as fileName', 'outgoing_transfer.destination as other', 'status'])
    .select(['transfer_size as size', 'transfer_checksum as checksum', 'transfer_manager_name as method'])
    .select(['start_time as started', 'send_item.consumed_time as active', 'end_time as ended'])
    .select(['outgoing_transfer.reason', 'remote_transfer_id as remoteId', sql<number | null>`NULL`.as('storeId')])
    .select(['send_queue_id as batchId', 'send_item.next_try as nextTry'])
  if (status !== undefined) inner = inner.where(isIn(status))
  if (other !== undefined) inner = inner.where('outgoing_transfer.destination', '=', other)
  return db.selectFrom(inner.as('transfer')).selectAll().$castTo<PagedTransfer>()
}

/** Nearly all are complete: their index would have all of them sorted by number, where the newest are met at once. */
function isIn(status: TransferStatus) {
  return status === 'COMPLETED' ? sql<boolean>`status || '' = ${status}` : sql<boolean>`status = ${status}`
}

async function batchOf({ sql: db }: Database, id: number): Promise<Batch | undefined> {
  const item = await db.selectFrom('send_item').selectAll().where('id', '=', id).executeTakeFirst()
  if (!item) return undefined
  const { files, bytes } = await db
    .selectFrom('outgoing_transfer')
    .select(({ fn }) => [fn.countAll().as('files'), fn.sum('transfer_size').as('bytes')])
    .where('send_queue_id', '=', id)
    .executeTakeFirstOrThrow()
  return {
    id,
    created: item.created_time,
    taken: item.consumed_time,
    completed: item.completed_time,
    nextTry: item.next_try,
    retries: item.retries,
    reason: item.reason,
    files: Number(files),
    bytes: Number(bytes ?? 0),
  }
}
