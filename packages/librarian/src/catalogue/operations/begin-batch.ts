/**
 * How a batch of outgoing transfers begins (librarian 11.4 step 2, 12.3). One batch at a time is made for a destination: whoever
 * makes it holds the lease of that destination, so that transfers which nobody drives any more are known to be a dead process's.
 */
import { sql } from 'kysely'
import type { Database } from '../operation.ts'
import { listOf, rowSet } from '../row-set.ts'
import type { FileTable } from '../schema.ts'
import { leases } from './leases.ts'
import { failTransfers, isOpen, librarianIdOf } from './outgoing-states.ts'

export interface BatchOrder {
  readonly destination: string
  readonly names: readonly string[]
  /** Copies there are sent rather than others. */
  readonly preferredStore?: number | undefined
  /** This copy and no other, although the destination is known to have one (librarian 10.10). Only with one name. */
  readonly instanceId?: number | undefined
  /** Unlike any other's: not even this process makes two batches for one destination at once. */
  readonly holder: string
  /** Without a renewal the lease ends after so long. */
  readonly seconds: number
}

/** A transfer that was made, with what its announcement says. */
export interface BatchTransfer extends Pick<FileTable, 'name' | 'size' | 'checksum' | 'uploader' | 'kind'> {
  readonly id: number
  readonly path: string
}

export interface Batch {
  readonly token: number
  readonly transfers: readonly BatchTransfer[]
  /** Names that have no copy to send. */
  readonly without: readonly string[]
}

export const batchLease = (destination: string) => `send:${destination}`

/**
 * Takes the destination's lease, ends what a dead process has left half made, and makes a transfer of each file that still lacks
 * one. Undefined: somebody else makes a batch for it.
 */
export async function beginBatch(database: Database, order: BatchOrder): Promise<Batch | undefined> {
  const { destination, holder, seconds } = order
  const peer = await librarianIdOf(database, destination)
  const token = await leases.acquire.run(database, { resource: batchLease(destination), holder, seconds })
  if (token === undefined) return undefined
  await failOrphans(database, destination)
  const names = await stillWanted(database, peer, order)
  const chosen = await chooseCopies(database, names, order)
  const transfers = await insertTransfers(database, destination, chosen)
  const made = new Set(chosen.map(({ name }) => name))
  return { token, transfers, without: names.filter(name => !made.has(name)) }
}

/** What a dead process has left half made is ended, so that its files are candidates again; where a batch is being made, nothing. */
export async function endOrphans(database: Database, order: Pick<BatchOrder, 'destination' | 'holder' | 'seconds'>) {
  const { destination, holder, seconds } = order
  const lease = { resource: batchLease(destination), holder }
  const token = await leases.acquire.run(database, { ...lease, seconds })
  if (token === undefined) return
  await failOrphans(database, destination)
  await leases.release.run(database, { ...lease, token })
}

/** Transfers that were announced, or about to be, when their process died: nobody knows the receiver's numbers of them. */
async function failOrphans(database: Database, destination: string): Promise<void> {
  const orphans = await database.sql
    .selectFrom('outgoing_transfer')
    .select('id')
    .where('destination', '=', destination)
    .where('status', '=', 'INITIATED')
    .where('send_queue_id', 'is', null)
    .execute()
  await failTransfers(database, orphans, 'The process that began it ended before the receiver had answered.')
}

async function stillWanted({ sql: db, dialect }: Database, librarianId: number, order: BatchOrder): Promise<string[]> {
  const { destination, names, instanceId } = order
  if (names.length === 0) return []
  const wanted = listOf(dialect, 'text', names)
  const isThere = (name: string) => !known.has(name) && !open.has(name)
  const remote = await db
    .selectFrom('remote_instance')
    .select('file_name')
    .where('file_name', 'in', wanted)
    .where('librarian_id', '=', librarianId)
    .execute()
  const transfers = await db
    .selectFrom('outgoing_transfer')
    .select('file_name')
    .where('file_name', 'in', wanted)
    .where('destination', '=', destination)
    .where(isOpen)
    .execute()
  const known = new Set(instanceId === undefined ? remote.map(({ file_name }) => file_name) : [])
  const open = new Set(transfers.map(({ file_name }) => file_name))
  return names.filter(isThere)
}

type ChosenCopy = Omit<BatchTransfer, 'id'> & { readonly instanceId: number }

/**
 * Of each file one copy: the first on a store that this batch uses already, or that is preferred; else the last (librarian
 * 12.3). Copies that are known to be bad are none (reliability C2).
 */
async function chooseCopies(
  { sql: db, dialect }: Database,
  names: readonly string[],
  { preferredStore, instanceId }: BatchOrder,
): Promise<ChosenCopy[]> {
  if (names.length === 0) return []
  let query = db
    .selectFrom('instance')
    .innerJoin('file', 'file.name', 'instance.file_name')
    .innerJoin('store', 'store.id', 'instance.store_id')
    .select(['instance.id as instanceId', 'instance.store_id as storeId', 'instance.path'])
    .select(['file.name', 'file.size', 'file.checksum', 'file.uploader', 'file.first_uploader', 'file.kind'])
    .where('instance.file_name', 'in', listOf(dialect, 'text', names))
    .where('instance.available', '=', 1)
    .where('instance.state', 'in', ['ok', 'never-checked'])
    .where('store.enabled', '=', 1)
  if (instanceId !== undefined) query = query.where('instance.id', '=', instanceId)
  const copies = Map.groupBy(await query.orderBy('instance.id').execute(), ({ name }) => name)
  const used = new Set(preferredStore === undefined ? [] : [preferredStore])
  return names.flatMap(name => {
    const all = copies.get(name) ?? []
    const copy = all.find(({ storeId }) => used.has(storeId)) ?? all.at(-1)
    if (!copy) return []
    const { storeId, first_uploader, uploader, ...chosen } = copy
    used.add(storeId)
    return [{ ...chosen, uploader: first_uploader ?? uploader }]
  })
}

const copyColumns = { name: 'text', size: 'integer', checksum: 'text', instance_id: 'integer', path: 'text' } as const

async function insertTransfers(
  { sql: db, dialect }: Database,
  destination: string,
  copies: readonly ChosenCopy[],
): Promise<BatchTransfer[]> {
  const rows = copies.map(({ name, size, checksum, instanceId: instance_id, path }) => {
    return { name, size, checksum, instance_id, path }
  })
  const given = rowSet(dialect, copyColumns, rows)
  const inserted = await sql<{ id: number; file_name: string }>`
    INSERT INTO outgoing_transfer (status, destination, transfer_size, transfer_checksum, start_time, file_name, instance_id,
      source_path)
    SELECT 'INITIATED', ${destination}, given.size, given.checksum, ${dialect.now()}, given.name, given.instance_id, given.path
    FROM ${given} AS given WHERE true
    RETURNING id, file_name`.execute(db)
  const ids = new Map(inserted.rows.map(({ id, file_name }) => [file_name, id]))
  return copies.map(({ instanceId: _, ...copy }) => ({ ...copy, id: ids.get(copy.name)! }))
}
