/** Outgoing transfers as others see them: receivers that report, operators that look, the hypervisor that asks after old ones. */
import { LibrarianError } from '@arriero/api/errors'
import { type Database, read, write } from '../operation.ts'
import { listOf } from '../row-set.ts'
import type { TransferStatus } from '../schema.ts'
import { addRemoteCopies, isOpen, type OutgoingTransfer } from './outgoing-states.ts'

/** What a receiver says of a clone that it keeps now. */
export interface KeptClone {
  readonly id: number
  /** The receiver's number of it. */
  readonly remoteId: number
  /** Number of its store there. */
  readonly storeId: number
}

export interface CompletedClones {
  readonly completed: readonly number[]
  readonly refused: readonly RefusedClone[]
}

export interface RefusedClone {
  readonly id: number
  readonly code: 'NotFound' | 'UnknownLibrarian' | 'Conflict'
  readonly reason: string
}

export interface CloneReport {
  readonly clones: readonly KeptClone[]
  /** Only transfers to this librarian; undefined: an administrator asks. */
  readonly destination?: string | undefined
  /** Our own name. */
  readonly sender: string
}

export interface OutgoingSearch {
  readonly statuses?: readonly TransferStatus[] | undefined
  readonly destination?: string | undefined
  readonly name?: string | undefined
  readonly window?: readonly [from: string, to: string] | undefined
  /** The last of the page before. */
  readonly after?: number | undefined
  readonly limit: number
}

const MOST_DAYS = 700_000
const DAY_SECONDS = 86_400

export const outgoing = {
  /**
   * Transfers end as complete, and the copies at the receiver are known from here on (librarian 10.3). What was reported before
   * is complete as it was. Each is judged by itself.
   */
  complete: write<CloneReport, CompletedClones>(async (database, report) => {
    const known = await transfersOf(database, report)
    const peers = await librarianIds(database, [...known.values()])
    const judged = report.clones.map(clone => judge(clone, known.get(clone.id), peers))
    const refused = judged.filter(each => 'code' in each)
    const done = judged.filter(each => 'transfer' in each)
    await markCompleted(database, done)
    for (const [librarianId, clones] of Map.groupBy(done, each => each.librarianId)) {
      const copies = clones.flatMap(({ transfer, storeId }) =>
        transfer.file_name === null ? [] : [{ name: transfer.file_name, storeId }],
      )
      await addRemoteCopies(database, { librarianId, sender: report.sender, copies })
    }
    return { completed: done.map(({ transfer }) => transfer.id), refused }
  }),

  /** Newest first. */
  list: read<OutgoingSearch, OutgoingTransfer[]>(
    async ({ sql }, { statuses, destination, name, window, after, limit }) => {
      if (statuses?.length === 0) return []
      let query = sql.selectFrom('outgoing_transfer').selectAll()
      if (statuses) query = query.where('status', 'in', statuses)
      if (destination !== undefined) query = query.where('destination', '=', destination)
      if (name !== undefined) query = query.where('file_name', '=', name)
      if (window) query = query.where('start_time', '>=', window[0]).where('start_time', '<=', window[1])
      if (after !== undefined) query = query.where('id', '<', after)
      return await query.orderBy('id', 'desc').limit(limit).execute()
    },
  ),

  /**
   * Open ones that began longer than `ageInDays` ago, by number: those after `after`. What is on a disk that is being carried is
   * not old, however long that takes; from the day on which it was read over there, its age counts.
   */
  stale: read<{ ageInDays: number; after: number; limit: number }, OutgoingTransfer[]>(
    async ({ sql, dialect }, { ageInDays, after, limit }) => {
      const since = dialect.nowPlus(-Math.min(Math.max(ageInDays, 0), MOST_DAYS) * DAY_SECONDS)
      return await sql
        .selectFrom('outgoing_transfer')
        .selectAll()
        .where(isOpen)
        .where('id', '>', after)
        .where('start_time', '<', since)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('disk_item')
                .innerJoin('disk', 'disk.id', 'disk_item.disk_id')
                .select('disk.id')
                .whereRef('disk_item.file_name', '=', 'outgoing_transfer.file_name')
                .whereRef('disk_item.transfer_id', '=', 'outgoing_transfer.id')
                .where('disk.direction', '=', 'out')
                .where(({ eb, or, and }) =>
                  or([
                    eb('disk.state', 'in', ['packing', 'packed', 'reading']),
                    and([eb('disk.state', '=', 'read'), eb('disk.changed', '>=', since)]),
                  ]),
                ),
            ),
          ),
        )
        .orderBy('id')
        .limit(limit)
        .execute()
    },
  ),
}

interface Accepted {
  readonly transfer: OutgoingTransfer
  readonly librarianId: number
  readonly remoteId: number
  readonly storeId: number
}

async function transfersOf({ sql, dialect }: Database, { clones, destination }: CloneReport) {
  const ids = clones.map(({ id }) => id)
  let query = sql
    .selectFrom('outgoing_transfer')
    .selectAll()
    .where('id', 'in', listOf(dialect, 'integer', ids))
  if (destination !== undefined) query = query.where('destination', '=', destination)
  return new Map((await query.execute()).map(row => [row.id, row]))
}

async function librarianIds({ sql }: Database, transfers: readonly OutgoingTransfer[]): Promise<Map<string, number>> {
  const names = [...new Set(transfers.map(({ destination }) => destination))]
  if (names.length === 0) return new Map()
  const rows = await sql.selectFrom('peer').select(['id', 'name']).where('name', 'in', names).execute()
  return new Map(rows.map(({ id, name }) => [name, id]))
}

function judge(
  { id, remoteId, storeId }: KeptClone,
  transfer: OutgoingTransfer | undefined,
  librarians: ReadonlyMap<string, number>,
): Accepted | RefusedClone {
  const refuse = (code: RefusedClone['code'], reason: string) => ({ id, code, reason })
  if (!transfer) return refuse('NotFound', 'Could not find transfer.')
  const { status, destination, remote_transfer_id } = transfer
  const librarianId = librarians.get(destination)
  if (librarianId === undefined) return refuse('UnknownLibrarian', `There is no librarian ${destination}.`)
  if (remote_transfer_id !== null && remote_transfer_id !== remoteId) {
    return refuse('Conflict', `Transfer ${id} must be ${remote_transfer_id} at ${destination}, not ${remoteId}.`)
  }
  if (status === 'ONGOING' || status === 'STAGED' || status === 'COMPLETED') {
    return { transfer, librarianId, remoteId, storeId }
  }
  return refuse('Conflict', `Transfer ${id} must be ONGOING or STAGED to be completed, it is ${status}.`)
}

async function markCompleted({ sql, dialect }: Database, done: readonly Accepted[]): Promise<void> {
  const open = done.filter(({ transfer }) => transfer.status !== 'COMPLETED')
  const ids = open.map(({ transfer }) => transfer.id)
  await sql
    .updateTable('outgoing_transfer')
    .set({ status: 'COMPLETED', end_time: dialect.now() })
    .where('id', 'in', listOf(dialect, 'integer', ids))
    .where('status', 'in', ['ONGOING', 'STAGED'])
    .execute()
  // A carried disk is announced by the receiver alone, so its numbers are only known from here on.
  for (const { transfer, remoteId } of open.filter(each => each.transfer.remote_transfer_id === null)) {
    await sql
      .updateTable('outgoing_transfer')
      .set({ remote_transfer_id: remoteId })
      .where('id', '=', transfer.id)
      .execute()
  }
}

/** For one that was reported alone. */
export function refusalOf({ code, reason }: RefusedClone): LibrarianError {
  return new LibrarianError(code, reason)
}
