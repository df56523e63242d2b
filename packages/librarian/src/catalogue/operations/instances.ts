/** Copies, here and at other librarians. */
import type { Instant } from '@arriero/api'
import { sql as raw, type Selectable } from 'kysely'
import { pageLimit } from '../limits.ts'
import { type Database, read, write } from '../operation.ts'
import type { Bit, CorruptFileTable, DeletionPolicy, FileTable, InstanceTable, RemoteInstanceTable } from '../schema.ts'

export type File = Selectable<FileTable>
export type Instance = Selectable<InstanceTable>

export interface FileWithInstances {
  readonly file: File
  readonly instances: readonly Instance[]
}

export interface RemoteInstanceRecord extends Selectable<RemoteInstanceTable> {
  readonly librarian_name: string
}

/** All are held at once; newest first (librarian 10.5). */
export interface LocalInstanceSearch {
  readonly id?: number | undefined
  readonly path?: string | undefined
  readonly deletion_policy?: DeletionPolicy | undefined
  readonly created_time?: Instant | undefined
  readonly file_name?: string | undefined
  readonly store_id?: number | undefined
  readonly available?: Bit | undefined
  /** Default 64, at most 1,000. */
  readonly limit?: number | undefined
}

export interface RemoteInstanceSearch {
  readonly id?: number | undefined
  readonly file_name?: string | undefined
  readonly store_id?: number | undefined
  readonly librarian_id?: number | undefined
  readonly copy_time?: Instant | undefined
  readonly sender?: string | undefined
  /** Default 64, at most 1,000. */
  readonly limit?: number | undefined
}

/** Of a copy that begins, or begins again: nobody has read it, and no manifest has taken it out of use. */
export const unread = {
  calculated_checksum: null,
  calculated_size: null,
  checksum_time: null,
  fingerprint: null,
  withdrawn_by: null,
} as const

export const instances = {
  searchLocal: read<LocalInstanceSearch, readonly Selectable<InstanceTable>[]>(async ({ sql }, { limit, ...exact }) => {
    let query = sql.selectFrom('instance').selectAll()
    for (const [column, value] of given(exact)) query = query.where(column, '=', value)
    return await query.orderBy('created_time', 'desc').orderBy('id', 'desc').limit(pageLimit(limit)).execute()
  }),

  searchRemote: read<RemoteInstanceSearch, readonly RemoteInstanceRecord[]>(async (database, { limit, ...exact }) => {
    let query = selectRemoteInstances(database)
    for (const [column, value] of given(exact)) query = query.where(`remote_instance.${column}`, '=', value)
    return await query
      .orderBy('remote_instance.copy_time', 'desc')
      .orderBy('remote_instance.id', 'desc')
      .limit(pageLimit(limit))
      .execute()
  }),

  ofFile: read<{ name: string }, FileWithInstances | undefined>(async ({ sql }, { name }) => {
    const file = await sql.selectFrom('file').selectAll().where('name', '=', name).executeTakeFirst()
    if (!file) return undefined
    const copies = await sql.selectFrom('instance').selectAll().where('file_name', '=', name).orderBy('id').execute()
    return { file, instances: copies }
  }),

  get: read<{ id: number }, Instance | undefined>(
    async ({ sql }, { id }) => await sql.selectFrom('instance').selectAll().where('id', '=', id).executeTakeFirst(),
  ),

  /** Copies on a store with their files, by id: a page of those after `after`. */
  onStore: read<{ storeId: number; after: number; limit: number }, (Instance & { file: File })[]>(
    async ({ sql }, { storeId, after, limit }) => {
      const copies = await sql
        .selectFrom('instance')
        .selectAll()
        .where(onStore(storeId))
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      if (copies.length === 0) return []
      const names = copies.map(({ file_name }) => file_name)
      const files = await sql.selectFrom('file').selectAll().where('name', 'in', names).execute()
      const byName = new Map(files.map(file => [file.name, file]))
      return copies.map(copy => ({ ...copy, file: byName.get(copy.file_name)! }))
    },
  ),

  /** Which of these names a store holds by its rows: as a file or tree, or as what is being committed. */
  knownOnStore: read<{ storeId: number; names: readonly string[] }, string[]>(async ({ sql }, { storeId, names }) => {
    if (names.length === 0) return []
    const kept = await sql
      .selectFrom('instance')
      .select('file_name')
      .where('store_id', '=', storeId)
      .where('file_name', 'in', names)
      .execute()
    const coming = await sql
      .selectFrom('intent')
      .select('file_name')
      .where('store_id', '=', storeId)
      .where('file_name', 'in', names)
      .execute()
    return [...new Set([...kept, ...coming].map(({ file_name }) => file_name))]
  }),

  /** Another copy of a file, as never checked: what was not read is not called good. */
  add: write<{ name: string; storeId: number; path: string }, { id: number }>(
    async ({ sql, dialect }, { name, storeId, path }) =>
      await sql
        .insertInto('instance')
        .values({
          path,
          file_name: name,
          store_id: storeId,
          deletion_policy: 'DISALLOWED',
          created_time: dialect.now(),
          available: 1,
          state: 'never-checked',
          ...unread,
        })
        .returning('id')
        .executeTakeFirstOrThrow(),
  ),

  /** Copies whose last reads differed from what was recorded. */
  corrupt: read<void, Selectable<CorruptFileTable>[]>(
    async ({ sql }) => await sql.selectFrom('corrupt_file').selectAll().orderBy('id').execute(),
  ),

  treeOf: read<{ name: string }, string | undefined>(async ({ sql }, { name }) => {
    const row = await sql.selectFrom('tree').select('manifest').where('file_name', '=', name).executeTakeFirst()
    return row?.manifest
  }),

  /** Everything: for tests and small catalogues. */
  all: read<void, { files: File[]; instances: Instance[] }>(async ({ sql }) => ({
    files: await sql.selectFrom('file').selectAll().orderBy('name').execute(),
    instances: await sql.selectFrom('instance').selectAll().orderBy('id').execute(),
  })),
}

/**
 * For pages by number: the plus keeps the indexes by store out of it, which would have every page sort all copies of the
 * store anew.
 */
export function onStore(storeId: number) {
  return raw<boolean>`+instance.store_id = ${storeId}`
}

function selectRemoteInstances({ sql }: Database) {
  return sql
    .selectFrom('remote_instance')
    .innerJoin('peer', 'peer.id', 'remote_instance.librarian_id')
    .selectAll('remote_instance')
    .select('peer.name as librarian_name')
}

function given<T extends object>(exact: T): [keyof T & string, NonNullable<T[keyof T]>][] {
  return Object.entries(exact).filter(([, value]) => value !== undefined) as [
    keyof T & string,
    NonNullable<T[keyof T]>,
  ][]
}
