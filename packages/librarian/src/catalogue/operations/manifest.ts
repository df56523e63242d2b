/**
 * All copies on a store, as a carried disk takes them along (librarian 10.8, 11.7). Making transfers, marking copies and
 * switching the store off are one transaction; what it has changed, and nothing else, is then listed in pages, so that a
 * store of millions is nowhere whole in memory.
 */
import type { Instant } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import { audited } from '../audited.ts'
import { type Database, read } from '../operation.ts'
import type { DeletionPolicy } from '../schema.ts'
import { onStore } from './instances.ts'
import { openOutgoing } from './open-outgoing.ts'
import { originalUploader } from './original-uploader.ts'

export interface ManifestOrder {
  readonly storeName: string
  /** Make a transfer to this librarian for every copy; one that is open already is taken. */
  readonly destination?: string | undefined
  readonly disableStore: boolean
  readonly markUnavailable: boolean
}

/** A manifest that was made: what its pages list. */
export interface Manifest {
  /** 32 hex digits, by which copies that it took out of use are known. */
  readonly id: string
  readonly storeId: number
  readonly destination: string | undefined
  /** Copies and transfers that came later are not in it. */
  readonly lastInstance: number
  readonly lastTransfer: number
}

export interface ManifestRow {
  readonly instanceId: number
  readonly name: string
  readonly createTime: Instant
  readonly size: number
  readonly checksum: string
  readonly uploader: string
  readonly source: string
  readonly path: string
  readonly deletionPolicy: DeletionPolicy
  readonly instanceCreateTime: Instant
  readonly transferId: number | undefined
}

const open = ['INITIATED', 'ONGOING', 'STAGED'] as const

export const manifest = {
  /** Everything that would refuse it is looked at before anything is changed. */
  make: audited<ManifestOrder & { id: string }, Manifest>(async (database, { id, destination, ...order }) => {
    const { sql } = database
    const store = await sql.selectFrom('store').select('id').where('name', '=', order.storeName).executeTakeFirst()
    if (!store) {
      throw new LibrarianError('UnknownStore', `Cannot list the store ${order.storeName}: there is no such store`)
    }
    if (destination !== undefined) await demandPeer(database, destination)
    if (order.disableStore) await sql.updateTable('store').set({ enabled: 0 }).where('id', '=', store.id).execute()
    if (destination !== undefined) {
      const copies = sql.selectFrom('instance').select('id').where('store_id', '=', store.id).where('available', '=', 1)
      await openOutgoing(database, { destination, copies, oneOf: 'copy' })
    }
    if (order.markUnavailable) {
      await sql
        .updateTable('instance')
        .set({ available: 0, withdrawn_by: id })
        .where('store_id', '=', store.id)
        .where('available', '=', 1)
        .execute()
      // Those that are going, in case they stay.
      await sql
        .updateTable('trash')
        .set({ available: 0, withdrawn_by: id })
        .where('store_id', '=', store.id)
        .where('state', '=', 'deleting')
        .where('available', '=', 1)
        .execute()
    }
    const lastInstance = await lastId(database, 'instance')
    return {
      id,
      storeId: store.id,
      destination,
      lastInstance,
      lastTransfer: await lastId(database, 'outgoing_transfer'),
    }
  }),

  /** Rows by number of the copy: those after `after`, at most `limit`. Fewer than that: it was the last page. */
  page: read<{ manifest: Manifest; after: number; limit: number }, ManifestRow[]>(async (database, page) => {
    const rows = await copiesOf(database, page)
    const { manifest: made } = page
    if (made.destination === undefined) return rows.map(row => ({ ...row, transferId: undefined }))
    const transfers = await transfersOf(database, made, made.destination, rows)
    return rows.map(row => ({ ...row, transferId: transfers.get(row.instanceId) }))
  }),
}

async function demandPeer({ sql }: Database, name: string): Promise<void> {
  const peer = await sql.selectFrom('peer').select('id').where('name', '=', name).executeTakeFirst()
  if (!peer) throw new LibrarianError('UnknownLibrarian', `Cannot send to ${name}: there is no such librarian`)
}

async function lastId({ sql }: Database, table: 'instance' | 'outgoing_transfer'): Promise<number> {
  const row = await sql.selectFrom(table).select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
  return row?.id ?? 0
}

async function copiesOf(
  { sql }: Database,
  { manifest: { id, storeId, lastInstance }, after, limit }: { manifest: Manifest; after: number; limit: number },
) {
  return await sql
    .selectFrom('instance')
    .innerJoin('file', 'file.name', 'instance.file_name')
    .select([
      'instance.id as instanceId',
      'file.name',
      'file.create_time as createTime',
      'file.size',
      'file.checksum',
      originalUploader,
      'file.source',
      'instance.path',
      'instance.deletion_policy as deletionPolicy',
      'instance.created_time as instanceCreateTime',
    ])
    .where('instance.id', '>', after)
    .where('instance.id', '<=', lastInstance)
    .where(onStore(storeId))
    .where(eb => eb.or([eb('instance.available', '=', 1), eb('instance.withdrawn_by', '=', id)]))
    .orderBy('instance.id')
    .limit(limit)
    .execute()
}

async function transfersOf(
  { sql }: Database,
  { lastTransfer }: Manifest,
  destination: string,
  rows: readonly { readonly name: string }[],
): Promise<Map<number, number>> {
  if (rows.length === 0) return new Map()
  const names = rows.map(({ name }) => name)
  const transfers = await sql
    .selectFrom('outgoing_transfer')
    .select(['id', 'instance_id', 'status'])
    .where('file_name', 'in', names)
    .where('destination', '=', destination)
    .where('id', '<=', lastTransfer)
    .orderBy('id')
    .execute()
  const isOpen = (status: string) => open.some(each => each === status)
  // It may have ended since; then it is the last one.
  const ordered = [
    ...transfers.filter(({ status }) => !isOpen(status)),
    ...transfers.filter(each => isOpen(each.status)),
  ]
  return new Map(ordered.map(({ id, instance_id }) => [instance_id, id]))
}
