/**
 * Batches that wait to be moved, and those that are moved (librarian 12.5, 12.6). Whoever works on an item holds its lease; every
 * write names the lease's token, so that one who lost it changes nothing (reliability E2, 8.13).
 */
import type { Instant } from '@arriero/api'
import { type Selectable, sql as text } from 'kysely'
import { type Database, write } from '../operation.ts'
import type { CompletedTransferTable, FileKind, SendItemTable } from '../schema.ts'
import { leases, requireLease } from './leases.ts'
import { chunks, failTransfers, isOpen, type OutgoingTransfer } from './outgoing-states.ts'

export type SendItem = Selectable<SendItemTable>

export interface ItemTransfer
  extends Pick<OutgoingTransfer, 'id' | 'status' | 'file_name' | 'transfer_size' | 'remote_transfer_id'> {
  readonly source_path: string | null
  readonly dest_path: string | null
  readonly kind: FileKind
}

export interface ItemHold {
  readonly itemId: number
  readonly token: number
}

export interface ClaimedItem {
  readonly hold: ItemHold
  readonly item: SendItem
  /** Those that are open. */
  readonly open: readonly ItemTransfer[]
  /** How many have ended well already. */
  readonly completed: number
  /** Sum over those that did not fail; bytes. */
  readonly bytes: number
  /** By the database's clock. */
  readonly now: Instant
}

export interface Claim {
  readonly holder: string
  readonly seconds: number
  /** Destinations that do not answer just now. */
  readonly notTo?: readonly string[] | undefined
}

export type CompletedTransfer = Omit<CompletedTransferTable, 'id'>

const itemLeasePrefix = 'send-item:'
export const itemLease = (id: number) => `${itemLeasePrefix}${id}`
const leaseOfRow = text<string>`${text.lit(itemLeasePrefix)} || CAST(send_item.id AS text)`

export const sendQueue = {
  /**
   * The next item that is to be moved, by priority, then by age: to destinations that take transfers, and when its pause has
   * ended. `full`: as many as `most` are being moved already.
   */
  claimWaiting: write<Claim & { most: number }, ClaimedItem | 'full' | undefined>(async (database, claim) => {
    const { sql, dialect } = database
    const { count } = await sql
      .selectFrom('send_item')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('completed', '=', 0)
      .where('consumed', '=', 1)
      // What was on its way to a librarian that was removed takes nobody's place.
      .where('destination', 'in', ({ selectFrom }) => selectFrom('peer').select('name'))
      .executeTakeFirstOrThrow()
    if (Number(count) >= claim.most) return 'full'
    const item = await claimable(database, claim)
      .where('consumed', '=', 0)
      .where(({ or, eb }) => or([eb('next_try', 'is', null), eb('next_try', '<=', dialect.now())]))
      .orderBy('priority', 'desc')
      .orderBy('created_time')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    return item && (await claimed(database, item, claim))
  }),

  /** The next item after `after`, by number, that is being moved: whose time to be looked at has come, or of which all has ended. */
  claimMoving: write<Claim & { after: number }, ClaimedItem | undefined>(async (database, claim) => {
    const item = await claimable(database, claim)
      .where('consumed', '=', 1)
      .where(({ or, eb, not, exists, selectFrom }) =>
        or([
          eb('next_try', 'is', null),
          eb('next_try', '<=', database.dialect.now()),
          not(
            exists(
              selectFrom('outgoing_transfer')
                .select('outgoing_transfer.id')
                .whereRef('send_queue_id', '=', 'send_item.id')
                .where(isOpen),
            ),
          ),
        ]),
      )
      .where('id', '>', claim.after)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    return item && (await claimed(database, item, claim))
  }),

  /** Its method is about to begin: before the receiver can tell that a transfer is complete, which one must be under way for. */
  begin: write<{ hold: ItemHold }, void>(async (database, { hold }) => {
    await requireHold(database, hold)
    await database.sql
      .updateTable('outgoing_transfer')
      .set({ status: 'ONGOING' })
      .where('send_queue_id', '=', hold.itemId)
      .where('status', '=', 'INITIATED')
      .execute()
  }),

  /** Its method has begun, or done, all of it. `lookSeconds`: it is looked at after so many, unless all of it ends before. */
  begun: write<{ hold: ItemHold; state: string; lookSeconds: number }, void>(async (database, begun) => {
    const { hold, state, lookSeconds } = begun
    const { sql, dialect } = database
    await requireHold(database, hold)
    const next_try = lookSeconds > 0 ? dialect.nowPlus(lookSeconds) : null
    await sql
      .updateTable('send_item')
      .set({ consumed: 1, consumed_time: dialect.now(), async_transfer_manager: state, next_try, reason: null })
      .where('id', '=', hold.itemId)
      .where('completed', '=', 0)
      .execute()
  }),

  /** It is being moved still, and is looked at again after so many seconds, unless all of it ends before. */
  moving: write<{ hold: ItemHold; lookSeconds: number }, void>(async (database, { hold, lookSeconds }) => {
    await requireHold(database, hold)
    await database.sql
      .updateTable('send_item')
      .set({ next_try: database.dialect.nowPlus(lookSeconds) })
      .where('id', '=', hold.itemId)
      .where('completed', '=', 0)
      .execute()
  }),

  /** An attempt came to nothing; the next is after so many seconds. `counts`: it is one of those that are allowed. */
  later: write<{ hold: ItemHold; seconds: number; reason: string; counts: boolean }, void>(
    async (database, { hold, seconds, reason, counts }) => {
      await requireHold(database, hold)
      await database.sql
        .updateTable('send_item')
        .set(({ eb }) => ({
          retries: eb('retries', '+', counts ? 1 : 0),
          next_try: database.dialect.nowPlus(seconds),
          reason,
        }))
        .where('id', '=', hold.itemId)
        .where('completed', '=', 0)
        .execute()
    },
  ),

  /**
   * All of it has arrived, or ended: the transfers that are still open are as told, and what was moved is recorded. The receiver
   * hears of those that failed here.
   */
  complete: write<
    {
      hold: ItemHold
      staged: readonly number[]
      failed: readonly { readonly id: number; readonly reason: string }[]
      details?: CompletedTransfer | undefined
    },
    void
  >(async (database, { hold, staged, failed, details }) => {
    const { sql } = database
    await requireHold(database, hold)
    for (const part of chunks(staged, 5000)) {
      await sql
        .updateTable('outgoing_transfer')
        .set({ status: 'STAGED' })
        .where('id', 'in', part)
        .where('send_queue_id', '=', hold.itemId)
        .where('status', 'in', ['INITIATED', 'ONGOING'])
        .execute()
    }
    for (const [reason, transfers] of Map.groupBy(failed, each => each.reason)) {
      await failTransfers(database, transfers, reason)
    }
    if (details) await record(database, hold.itemId, details)
    await end(database, hold, null)
  }),

  /** It cannot be moved: each of its open transfers fails, and the receiver hears of it. Resolves to how many did. */
  giveUp: write<{ hold: ItemHold; reason: string }, number>(async (database, { hold, reason }) => {
    await requireHold(database, hold)
    const open = await database.sql
      .selectFrom('outgoing_transfer')
      .select('id')
      .where('send_queue_id', '=', hold.itemId)
      .where(isOpen)
      .execute()
    const failed = await failTransfers(database, open, reason)
    await end(database, hold, reason)
    return failed.length
  }),

  /** Leases of items that have ended, or are gone. Resolves to how many went. */
  sweepLeases: write<undefined, number>(async ({ sql, dialect }) => {
    const done = await sql
      .deleteFrom('lease')
      .where('resource', 'like', `${itemLeasePrefix}%`)
      .where('expires', '<', dialect.now())
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('send_item')
              .select('send_item.id')
              .where('completed', '=', 0)
              .where(leaseOfRow, '=', text.ref<string>('lease.resource')),
          ),
        ),
      )
      .executeTakeFirst()
    return Number(done.numDeletedRows)
  }),
}

/** Items of destinations that are known and take transfers (librarian Q18), on which nobody works. */
function claimable({ sql, dialect }: Database, { notTo = [] }: Claim) {
  let items = sql
    .selectFrom('send_item')
    .selectAll()
    .where('completed', '=', 0)
    .where('destination', 'in', ({ selectFrom }) =>
      selectFrom('peer').select('name').where('transfers_enabled', '=', 1),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('lease')
            .select('lease.resource')
            .where('lease.resource', '=', leaseOfRow)
            .where('lease.expires', '>=', dialect.now()),
        ),
      ),
    )
  if (notTo.length > 0) items = items.where('destination', 'not in', notTo)
  // Others take the next one instead of waiting; SQLite has one writer at a time anyway.
  return dialect.name === 'postgres' ? items.forUpdate().skipLocked() : items
}

async function claimed(
  database: Database,
  item: SendItem,
  { holder, seconds }: Claim,
): Promise<ClaimedItem | undefined> {
  const token = await leases.acquire.run(database, { resource: itemLease(item.id), holder, seconds })
  if (token === undefined) return undefined
  const transfers = await database.sql
    .selectFrom('outgoing_transfer')
    .innerJoin('file', 'file.name', 'outgoing_transfer.file_name')
    .select(['outgoing_transfer.id', 'status', 'file_name', 'transfer_size', 'remote_transfer_id', 'source_path'])
    .select(['dest_path', 'file.kind'])
    .where('send_queue_id', '=', item.id)
    .orderBy('outgoing_transfer.id')
    .execute()
  const { now } = await database.sql.selectNoFrom(database.dialect.now().as('now')).executeTakeFirstOrThrow()
  const good = transfers.filter(({ status }) => status !== 'FAILED' && status !== 'CANCELLED')
  return {
    hold: { itemId: item.id, token },
    item,
    open: good.filter(({ status }) => status !== 'COMPLETED'),
    completed: good.filter(({ status }) => status === 'COMPLETED').length,
    bytes: good.reduce((sum, { transfer_size }) => sum + transfer_size, 0),
    now,
  }
}

async function requireHold(database: Database, { itemId, token }: ItemHold): Promise<void> {
  await requireLease(database, { resource: itemLease(itemId), token })
}

/** What is recorded once stays. */
async function record({ sql }: Database, id: number, details: CompletedTransfer): Promise<void> {
  await sql
    .insertInto('completed_transfer')
    .values({ id, ...details })
    .onConflict(conflict => conflict.doNothing())
    .execute()
}

/** Part of another operation. Whoever works on one of them writes nothing more. */
export async function endItemsTo({ sql, dialect }: Database, destination: string, reason: string): Promise<void> {
  const ended = await sql
    .updateTable('send_item')
    .set({ completed: 1, completed_time: dialect.now(), failed: 1, reason })
    .where('destination', '=', destination)
    .where('completed', '=', 0)
    .returning('id')
    .execute()
  for (const part of chunks(ended, 5000)) {
    const resources = part.map(({ id }) => itemLease(id))
    await sql.deleteFrom('lease').where('resource', 'in', resources).execute()
  }
}

async function end({ sql, dialect }: Database, { itemId }: ItemHold, reason: string | null): Promise<void> {
  await sql
    .updateTable('send_item')
    .set({ completed: 1, completed_time: dialect.now(), failed: reason === null ? 0 : 1, reason })
    .where('id', '=', itemId)
    .where('completed', '=', 0)
    .execute()
  // Nobody works on it any more.
  await sql.deleteFrom('lease').where('resource', '=', itemLease(itemId)).execute()
}
