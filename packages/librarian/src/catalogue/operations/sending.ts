/** Outgoing transfers until they are in the queue (librarian 11.4, 12.3). */
import type { Instant } from '@arriero/api'
import { expressionBuilder } from 'kysely'
import type { Dialect } from '../dialect.ts'
import { type Database, read, write } from '../operation.ts'
import { listOf, rowSet } from '../row-set.ts'
import type { Schema } from '../schema.ts'
import { type Batch, type BatchOrder, batchLease, beginBatch, endOrphans } from './begin-batch.ts'
import type { FileCursor } from './files.ts'
import { requireLease } from './leases.ts'
import {
  addRemoteCopies,
  type EndedTransfer,
  failTransfers,
  isOpen,
  librarianIdOf,
  NAME_TAKEN,
  OTHER_CONTENT,
  OTHER_CONTENT_SECONDS,
} from './outgoing-states.ts'

export interface CandidatePage {
  /** Names of files that the destination lacks, oldest first. */
  readonly names: readonly string[]
  /** Present where there are more to look at. */
  readonly next?: FileCursor
}

export interface WaitingPage {
  readonly files: number
  readonly bytes: number
  /** When the first of them came. */
  readonly oldest: Instant | null
  /** Present where there may be more to look at. */
  readonly next?: FileCursor
}

export interface BatchHold {
  readonly destination: string
  readonly token: number
}

export interface Pairing {
  readonly hold: BatchHold
  /** Kind of its method. */
  readonly method: string
  /** JSON: the method's state as offered. */
  readonly state: string
  readonly pairs: readonly { readonly id: number; readonly remoteId: number; readonly target: string }[]
  /** The copies that the destination was known to have are not believed in any longer. */
  readonly forgetsCopies: boolean
}

/** Dates before the common era have no form in the catalogue. */
const MOST_DAYS = 700_000
const DAY_SECONDS = 86_400

export const sending = {
  /**
   * Looks at so many files that came within `ageInDays`, the oldest first, and finds those of which the destination has no
   * copy, gets none, and has not lately said that it has another content under this name. A page costs the same wherever it is,
   * and however many there are.
   */
  candidates: read<
    { destination: string; ageInDays: number; after?: FileCursor | undefined; limit: number },
    CandidatePage
  >(async ({ sql, dialect }, { destination, ageInDays, after, limit }) => {
    let query = sql
      .selectFrom('file')
      .select(['file.name', 'file.create_time', isThere(dialect, destination).as('is_there')])
      .where('file.create_time', '>=', since(dialect, ageInDays))
    if (after) {
      query = query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('file.create_time', 'file.name'), '>', tuple(after.create_time, after.name)),
      )
    }
    const rows = await query.orderBy('file.create_time').orderBy('file.name').limit(limit).execute()
    const names = rows.filter(row => Number(row.is_there) === 0).map(({ name }) => name)
    const last = rows.length === limit ? rows.at(-1) : undefined
    return last ? { names, next: { create_time: last.create_time, name: last.name } } : { names }
  }),

  /**
   * How much of the next so many files the destination lacks, as `candidates` finds them. All pages together cost what a run of the
   * sending task costs that finds nothing to send.
   */
  waiting: read<{ destination: string; ageInDays: number; after?: FileCursor | undefined; limit: number }, WaitingPage>(
    async ({ sql: db, dialect }, { destination, ageInDays, after, limit }) => {
      const page = (last?: FileCursor) => {
        // What lies behind `after` is young enough; said twice, SQLite would read all that is young for the last page.
        let query = after
          ? db
              .selectFrom('file')
              .where(({ eb, refTuple, tuple }) => eb(refTuple('create_time', 'name'), '>', tuple(...at(after))))
          : db.selectFrom('file').where('create_time', '>=', since(dialect, ageInDays))
        if (last)
          query = query.where(({ eb, refTuple, tuple }) =>
            eb(refTuple('create_time', 'name'), '<=', tuple(...at(last))),
          )
        return query
      }
      const next = await page()
        .select(['create_time', 'name'])
        .orderBy('create_time')
        .orderBy('name')
        .limit(1)
        .offset(limit - 1)
        .executeTakeFirst()
      const lacking = await page(next)
        .where(isThere(dialect, destination), '=', 0)
        .select(({ fn }) => [
          fn.countAll().as('files'),
          fn.sum('file.size').as('bytes'),
          fn.min('file.create_time').as('oldest'),
        ])
        .executeTakeFirstOrThrow()
      const { files, bytes, oldest } = lacking
      return { files: Number(files), bytes: Number(bytes ?? 0), oldest, ...(next ? { next } : {}) }
    },
  ),

  endOrphans: write<Pick<BatchOrder, 'destination' | 'holder' | 'seconds'>, void>(endOrphans),

  begin: write<BatchOrder, Batch | undefined>(beginBatch),

  /**
   * The receiver has taken them: its numbers and places are kept, and they are one item of the queue from here on.
   *
   * @returns the item, and which transfers it has; undefined where all have ended meanwhile
   */
  pair: write<Pairing, { itemId: number; paired: readonly number[] } | undefined>(async (database, pairing) => {
    const { sql, dialect } = database
    const { hold, method, state, forgetsCopies } = pairing
    await requireLease(database, { resource: batchLease(hold.destination), token: hold.token })
    await failSuperseded(database, pairing)
    const item = await sql
      .insertInto('send_item')
      .values({
        priority: 0,
        created_time: dialect.now(),
        retries: 0,
        destination: hold.destination,
        async_transfer_manager: state,
        method,
        consumed: 0,
        completed: 0,
        failed: 0,
        next_try: null,
        reason: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    const paired = await writePairs(database, item.id, pairing)
    if (paired.length === 0) {
      await sql.deleteFrom('send_item').where('id', '=', item.id).execute()
      return undefined
    }
    if (forgetsCopies) await forgetCopies(database, hold.destination, paired)
    return { itemId: item.id, paired }
  }),

  /** Ends transfers as failed and has the receiver told. Resolves to the numbers of those that were open. */
  fail: write<{ transfers: readonly EndedTransfer[]; reason: string }, number[]>((database, { transfers, reason }) =>
    failTransfers(database, transfers, reason),
  ),

  /** Nobody but us has heard of them: they are as if they had never begun. */
  discard: write<{ ids: readonly number[] }, void>(async ({ sql, dialect }, { ids }) => {
    await sql
      .deleteFrom('outgoing_transfer')
      .where('id', 'in', listOf(dialect, 'integer', ids))
      .where('status', '=', 'INITIATED')
      .where('send_queue_id', 'is', null)
      .where('remote_transfer_id', 'is', null)
      .execute()
  }),

  /** The receiver has said that they go on: those that have not begun here follow. */
  ongoing: write<{ ids: readonly number[] }, void>(async ({ sql, dialect }, { ids }) => {
    await sql
      .updateTable('outgoing_transfer')
      .set({ status: 'ONGOING' })
      .where('id', 'in', listOf(dialect, 'integer', ids))
      .where('status', '=', 'INITIATED')
      .execute()
  }),

  /** The destination has the very file already: the transfer is complete, and its copies are known (librarian 11.5). */
  found: write<{ id: number; storeIds: readonly number[]; sender: string }, boolean>(
    async (database, { id, storeIds, sender }) => {
      const { sql, dialect } = database
      const transfer = await sql
        .updateTable('outgoing_transfer')
        .set({ status: 'COMPLETED', end_time: dialect.now() })
        .where('id', '=', id)
        .where(isOpen)
        .returning(['destination', 'file_name'])
        .executeTakeFirst()
      if (!transfer?.file_name) return false
      const librarianId = await librarianIdOf(database, transfer.destination)
      const name = transfer.file_name
      const copies = storeIds.map(storeId => ({ name, storeId }))
      await addRemoteCopies(database, { librarianId, sender, copies })
      return true
    },
  ),
}

const at = ({ create_time, name }: FileCursor) => [create_time, name] as const

function since(dialect: Dialect, ageInDays: number) {
  return dialect.nowPlus(-Math.min(Math.max(ageInDays, 0), MOST_DAYS) * DAY_SECONDS)
}

/** 1 of a file of which the destination has a copy, gets one, or has lately said that its name is taken by another content. */
function isThere(dialect: Dialect, destination: string) {
  const { exists, selectFrom, case: choose, or } = expressionBuilder<Schema, 'file'>()
  const isKnown = exists(
    selectFrom('remote_instance')
      .innerJoin('peer', 'peer.id', 'remote_instance.librarian_id')
      .select('remote_instance.id')
      .whereRef('remote_instance.file_name', '=', 'file.name')
      .where('peer.name', '=', destination),
  )
  const isSentOrRefused = exists(
    selectFrom('outgoing_transfer')
      .select('outgoing_transfer.id')
      .whereRef('outgoing_transfer.file_name', '=', 'file.name')
      .where('outgoing_transfer.destination', '=', destination)
      .where(({ or: either, and, eb }) =>
        either([
          isOpen,
          and([
            eb('outgoing_transfer.status', '=', 'FAILED'),
            eb('outgoing_transfer.reason', 'in', [OTHER_CONTENT, NAME_TAKEN]),
            eb('outgoing_transfer.end_time', '>', dialect.nowPlus(-OTHER_CONTENT_SECONDS)),
          ]),
        ]),
      ),
  )
  return choose()
    .when(or([isKnown, isSentOrRefused]))
    .then(1)
    .else(0)
    .end()
}

const SUPERSEDED = 'The receiver gave its number to another transfer.'

/** Numbers that the receiver gives a second time were forgotten there: its catalogue is another one than it was. */
async function failSuperseded({ sql, dialect }: Database, { hold, pairs }: Pairing): Promise<void> {
  const given = pairs.map(({ remoteId }) => remoteId)
  // Not told: the number is another transfer's now.
  await sql
    .updateTable('outgoing_transfer')
    .set({ status: 'FAILED', end_time: dialect.now(), reason: SUPERSEDED })
    .where('destination', '=', hold.destination)
    .where('remote_transfer_id', 'in', listOf(dialect, 'integer', given))
    .where(isOpen)
    .execute()
}

async function writePairs({ sql, dialect }: Database, itemId: number, pairing: Pairing): Promise<number[]> {
  const given = rowSet(dialect, { id: 'integer', remote: 'integer', target: 'text' }, pairing.pairs.map(toRow))
  const rows = await sql
    .updateTable('outgoing_transfer')
    .from(given.$castTo<{ id: number; remote: number; target: string }>().as('given'))
    .set(({ ref }) => ({
      remote_transfer_id: ref('given.remote'),
      dest_path: ref('given.target'),
      transfer_manager_name: pairing.method,
      transfer_data: pairing.state,
      send_queue_id: itemId,
    }))
    .whereRef('outgoing_transfer.id', '=', 'given.id')
    .where('outgoing_transfer.status', '=', 'INITIATED')
    .where('outgoing_transfer.send_queue_id', 'is', null)
    .returning('outgoing_transfer.id')
    .execute()
  return rows.map(({ id }) => id)
}

const toRow = ({ id, remoteId, target }: Pairing['pairs'][number]) => ({ id, remote: remoteId, target })

async function forgetCopies(database: Database, destination: string, transfers: readonly number[]): Promise<void> {
  const librarianId = await librarianIdOf(database, destination)
  await database.sql
    .deleteFrom('remote_instance')
    .where('librarian_id', '=', librarianId)
    .where('file_name', 'in', ({ selectFrom }) =>
      selectFrom('outgoing_transfer').select('file_name').where('id', 'in', transfers).$castTo<{ file_name: string }>(),
    )
    .execute()
}
