/** What all that writes outgoing transfers shares: which are open, and how they end (librarian 11.12). */
import { LibrarianError } from '@arriero/api/errors'
import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { Database } from '../operation.ts'
import { listOf, rowSet } from '../row-set.ts'
import type { OutgoingTransferTable } from '../schema.ts'
import { enqueue } from './outbox.ts'

export type OutgoingTransfer = Selectable<OutgoingTransferTable>

/** Written out, because the index of those that are open is only used for this very text. */
export const isOpen: RawBuilder<boolean> = sql<boolean>`status IN ('INITIATED','ONGOING','STAGED')`

/** Why a transfer fails that no repetition can help: only a person can, at one of the two places. */
export const OTHER_CONTENT = 'The destination has another content under this name.'

/** Nothing is called so there, and the name is not free all the same: a name there lies below it, or it would lie in one. */
export const NAME_TAKEN = 'The destination cannot take this name: it would hold, or lie in, a file that is kept there.'

/** So long such a file is no candidate: each attempt would leave a row and change nothing. */
export const OTHER_CONTENT_SECONDS = 86_400

export interface EndedTransfer {
  readonly id: number
  /** At the receiver, where the catalogue does not know it yet. */
  readonly remoteId?: number | undefined
}

/**
 * Ends open transfers as failed, with the time, and has the receiver told of those that it knows; ended ones stay as they are.
 *
 * @returns numbers of those that were open
 */
export async function failTransfers(
  database: Database,
  transfers: readonly EndedTransfer[],
  reason: string,
): Promise<number[]> {
  const { sql: db, dialect } = database
  const remoteIds = new Map(transfers.map(({ id, remoteId }) => [id, remoteId]))
  const failed = await db
    .updateTable('outgoing_transfer')
    .set({ status: 'FAILED', end_time: dialect.now(), reason })
    .where('id', 'in', listOf(dialect, 'integer', [...remoteIds.keys()]))
    .where(isOpen)
    .returning(['id', 'destination', 'remote_transfer_id'])
    .execute()
  await enqueue(
    database,
    failed.flatMap(({ id, destination, remote_transfer_id }) => {
      const remoteId = remote_transfer_id ?? remoteIds.get(id)
      return remoteId === undefined ? [] : [failMessage(destination, id, remoteId, reason)]
    }),
  )
  return failed.map(({ id }) => id)
}

function failMessage(peer: string, id: number, remoteId: number, reason: string) {
  return {
    peer,
    call: 'clone/fail',
    body: { source_transfer_id: id, destination_transfer_id: remoteId, reason },
    idempotencyKey: `clone/fail ${id} ${remoteId}`,
  }
}

export interface RemoteCopy {
  readonly name: string
  readonly storeId: number
}

/** Notes that a librarian has copies; what is known already is not noted again (librarian 12.9). */
export async function addRemoteCopies(
  { sql: db, dialect }: Database,
  { librarianId, sender, copies }: { librarianId: number; sender: string; copies: readonly RemoteCopy[] },
): Promise<void> {
  if (copies.length === 0) return
  const rows = copies.map(({ name, storeId: store_id }) => ({ name, store_id }))
  const given = rowSet(dialect, { name: 'text', store_id: 'integer' }, rows)
  await sql`
    INSERT INTO remote_instance (file_name, store_id, librarian_id, copy_time, sender)
    SELECT given.name, given.store_id, ${librarianId}, ${dialect.now()}, ${sender} FROM ${given} AS given WHERE true
    ON CONFLICT (file_name, librarian_id, store_id) DO NOTHING`.execute(db)
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = []
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size))
  return parts
}

export async function librarianIdOf({ sql }: Database, name: string): Promise<number> {
  const peer = await sql.selectFrom('peer').select('id').where('name', '=', name).executeTakeFirst()
  if (peer) return peer.id
  throw new LibrarianError('UnknownLibrarian', `Cannot send to ${name}: there is no such librarian`)
}
