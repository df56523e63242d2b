/** Stores as the catalogue knows them. */
import { LibrarianError } from '@arriero/api/errors'
import { sql as text } from 'kysely'
import { audited, ifDone } from '../audited.ts'
import { type Database, read, write } from '../operation.ts'

export interface StoreRow {
  readonly id: number
  readonly name: string
  readonly ingestable: boolean
  readonly enabled: boolean
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly transferManagers: Managers
  readonly asyncTransferManagers: Managers | undefined
  /** Of the marker at the store's root; undefined until it was opened once. */
  readonly uuid: string | undefined
}

type Managers = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** A store as the settings name it. */
export interface NamedStore {
  readonly name: string
  readonly ingestable: boolean
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly transferManagers: Managers
  readonly asyncTransferManagers?: Managers | undefined
}

export const stores = {
  /** In order of id. */
  list: read<void, StoreRow[]>(database => listStores(database)),

  find: read<{ name: string }, StoreRow | undefined>(async (database, { name }) =>
    (await listStores(database)).find(store => store.name === name),
  ),

  /**
   * Adds stores that are missing. Those that are there stay as they are, unless `overwrite` says to take type, data and
   * managers from the settings; whether they are enabled is never changed (librarian 15).
   */
  synchronise: write<{ stores: readonly NamedStore[]; overwrite?: boolean }, StoreRow[]>(
    async (database, { stores: named, overwrite = false }) => {
      for (const store of named) {
        const values = valuesOf(store)
        await database.sql
          .insertInto('store')
          .values({ name: store.name, enabled: 1, ...values })
          .onConflict(conflict =>
            overwrite ? conflict.column('name').doUpdateSet(values) : conflict.column('name').doNothing(),
          )
          .execute()
      }
      return listStores(database)
    },
  ),

  /** Whether there is such a store. */
  setEnabled: audited<{ name: string; enabled: boolean }, boolean>(async ({ sql }, { name, enabled }) => {
    const done = await sql
      .updateTable('store')
      .set({ enabled: enabled ? 1 : 0 })
      .where('name', '=', name)
      .executeTakeFirst()
    return done.numUpdatedRows > 0n
  }, ifDone),

  /**
   * The disk is lost and an empty one in its place: whoever opens the store next makes a store of it, and every copy is missing,
   * as if each had been looked for. @returns how many copies
   */
  loseDisk: audited<{ id: number; by: string }, number>(async ({ sql, dialect }, { id, by }) => {
    const now = dialect.now()
    await sql.updateTable('store').set({ uuid: null }).where('id', '=', id).execute()
    await text`
      INSERT INTO proof (instance_id, file_name, store_id, time, medium, "by", outcome, sha256, size)
      SELECT id, file_name, store_id, ${now}, 'medium', ${by}, 'missing', NULL, NULL FROM instance
      WHERE store_id = ${id}`.execute(sql)
    const done = await sql
      .updateTable('instance')
      .set({
        state: 'missing',
        calculated_checksum: null,
        calculated_size: null,
        checksum_time: now,
        fingerprint: null,
      })
      .where('store_id', '=', id)
      .executeTakeFirst()
    return Number(done.numUpdatedRows)
  }),

  /** Remembers the marker of a store that was opened for the first time; another one than remembered is refused (B4). */
  setUuid: write<{ id: number; uuid: string }, void>(async ({ sql }, { id, uuid }) => {
    await sql.updateTable('store').set({ uuid }).where('id', '=', id).where('uuid', 'is', null).execute()
    const row = await sql.selectFrom('store').select(['name', 'uuid']).where('id', '=', id).executeTakeFirst()
    if (row?.uuid === uuid) return
    throw new LibrarianError(
      'Configuration',
      `Cannot use the store ${row?.name ?? id}: its marker must say ${row?.uuid}, and says ${uuid}; another disk is mounted there`,
      { remedy: 'Mount the disk that belongs there, or give this one a store of its own.' },
    )
  }),
}

async function listStores({ sql }: Database): Promise<StoreRow[]> {
  const rows = await sql.selectFrom('store').selectAll().orderBy('id').execute()
  return rows.map(row => ({
    id: row.id,
    name: row.name,
    ingestable: row.ingestable === 1,
    enabled: row.enabled === 1,
    type: row.store_type,
    data: JSON.parse(row.store_data),
    transferManagers: JSON.parse(row.transfer_manager_data),
    asyncTransferManagers:
      row.async_transfer_manager_data === null ? undefined : JSON.parse(row.async_transfer_manager_data),
    uuid: row.uuid ?? undefined,
  }))
}

function valuesOf(store: NamedStore) {
  return {
    ingestable: store.ingestable ? (1 as const) : (0 as const),
    store_type: store.type,
    store_data: JSON.stringify(store.data),
    transfer_manager_data: JSON.stringify(store.transferManagers),
    async_transfer_manager_data:
      store.asyncTransferManagers === undefined ? null : JSON.stringify(store.asyncTransferManagers),
  }
}
