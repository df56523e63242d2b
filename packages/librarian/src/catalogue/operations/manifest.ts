/**
 * All copies on a store, as a carried disk takes them along (librarian 10.8, 11.7). Listing, making transfers, marking copies
 * and switching the store off are one transaction: what the manifest says is what was changed.
 */
import { type Instant, LibrarianError } from '@arriero/api'
import { sql as raw } from 'kysely'
import { type Database, write } from '../operation.ts'
import type { DeletionPolicy } from '../schema.ts'

export interface ManifestOrder {
  readonly storeName: string
  /** Make a transfer to this librarian for every copy; one that is open already is taken. */
  readonly destination?: string | undefined
  readonly disableStore: boolean
  readonly markUnavailable: boolean
}

export interface ManifestRow {
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
  make: write<ManifestOrder, ManifestRow[]>(async (database, order) => {
    const { sql } = database
    const store = await sql.selectFrom('store').select('id').where('name', '=', order.storeName).executeTakeFirst()
    if (!store) {
      throw new LibrarianError('UnknownStore', `Cannot list the store ${order.storeName}: there is no such store`)
    }
    if (order.destination !== undefined) await demandPeer(database, order.destination)
    if (order.disableStore) await sql.updateTable('store').set({ enabled: 0 }).where('id', '=', store.id).execute()
    if (order.destination !== undefined) await openTransfers(database, store.id, order.destination)
    const rows = await listCopies(database, store.id, order.destination)
    if (order.markUnavailable) {
      await sql.updateTable('instance').set({ available: 0 }).where('store_id', '=', store.id).execute()
    }
    return rows
  }),
}

async function demandPeer({ sql }: Database, name: string): Promise<void> {
  const peer = await sql.selectFrom('peer').select('id').where('name', '=', name).executeTakeFirst()
  if (!peer) throw new LibrarianError('UnknownLibrarian', `Cannot send to ${name}: there is no such librarian`)
}

async function openTransfers({ sql, dialect }: Database, storeId: number, destination: string): Promise<void> {
  await sql
    .insertInto('outgoing_transfer')
    .columns([
      'status',
      'destination',
      'transfer_size',
      'transfer_checksum',
      'start_time',
      'file_name',
      'instance_id',
      'source_path',
    ])
    .expression(build =>
      build
        .selectFrom('instance')
        .innerJoin('file', 'file.name', 'instance.file_name')
        .select([
          raw.lit('ONGOING').as('status'),
          raw<string>`cast(${destination} as text)`.as('destination'),
          'file.size',
          'file.checksum',
          dialect.now().as('start_time'),
          'file.name',
          'instance.id',
          'instance.path',
        ])
        .where('instance.store_id', '=', storeId)
        .where('instance.available', '=', 1)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('outgoing_transfer')
                .select('outgoing_transfer.id')
                .whereRef('outgoing_transfer.instance_id', '=', 'instance.id')
                .where('outgoing_transfer.destination', '=', destination)
                .where('outgoing_transfer.status', 'in', open),
            ),
          ),
        )
        .orderBy('instance.id'),
    )
    .execute()
}

async function listCopies({ sql }: Database, storeId: number, destination: string | undefined): Promise<ManifestRow[]> {
  const rows = await sql
    .selectFrom('instance')
    .innerJoin('file', 'file.name', 'instance.file_name')
    .select([
      'instance.id as instanceId',
      'file.name',
      'file.create_time as createTime',
      'file.size',
      'file.checksum',
      'file.uploader',
      'file.source',
      'instance.path',
      'instance.deletion_policy as deletionPolicy',
      'instance.created_time as instanceCreateTime',
    ])
    .where('instance.store_id', '=', storeId)
    .where('instance.available', '=', 1)
    .orderBy('instance.id')
    .execute()
  const transfers = destination === undefined ? new Map() : await transfersOf({ sql }, storeId, destination)
  return rows.map(({ instanceId, ...row }) => ({ ...row, transferId: transfers.get(instanceId) }))
}

async function transfersOf(
  { sql }: Pick<Database, 'sql'>,
  storeId: number,
  destination: string,
): Promise<Map<number, number>> {
  const rows = await sql
    .selectFrom('outgoing_transfer')
    .innerJoin('instance', 'instance.id', 'outgoing_transfer.instance_id')
    .select(['outgoing_transfer.id', 'outgoing_transfer.instance_id as instanceId'])
    .where('instance.store_id', '=', storeId)
    .where('outgoing_transfer.destination', '=', destination)
    .where('outgoing_transfer.status', 'in', open)
    .execute()
  return new Map(rows.map(row => [row.instanceId, row.id]))
}
