/** What is kept: files, and where their copies are. */
import type { Instant } from '@arriero/api'
import { type Selectable, sql } from 'kysely'
import { cleanGlob, literalPrefix } from '../glob.ts'
import { pageLimit } from '../limits.ts'
import { type Database, read } from '../operation.ts'
import type { FileTable, InstanceTable } from '../schema.ts'
import { countNames, type FileFilter, selectFiles, selectFilesByTime } from './files-filter.ts'
import type { RemoteInstanceRecord } from './instances.ts'
import { badSince, isBad } from './serving.ts'

export type InstanceRecord = Selectable<InstanceTable> & {
  /** Of a copy that is known to be bad: since when. */
  readonly bad_since?: Instant | undefined
}

/** A file with its copies here and elsewhere, oldest first. */
export interface FileRecord extends FileTable {
  readonly instances: readonly InstanceRecord[]
  readonly remote_instances: readonly RemoteInstanceRecord[]
}

/** Where a page of results ended. */
export interface FileCursor {
  readonly create_time: Instant
  readonly name: string
}

export interface FileSearch extends FileFilter {
  /** Continues behind the last file of an earlier page. */
  readonly after?: FileCursor | undefined
  /** Files at most. Default 64, at most 1,000. */
  readonly limit?: number | undefined
}

export interface FilePage {
  /** Newest first; those of one instant by name, backwards. */
  readonly files: readonly FileRecord[]
  /** Present where there are more. */
  readonly next?: FileCursor
}

export const files = {
  find: read<{ name: string }, FileRecord | undefined>(async (database, { name }) => {
    return (await withCopies(database, await named(database, name)))[0]
  }),

  search: read<FileSearch, FilePage>(async (database, { after, limit, ...filter }) => {
    const most = pageLimit(limit)
    if (most === 0) return { files: [] }
    if (filter.name !== undefined && after === undefined && isNothingElse(filter)) {
      return { files: await withCopies(database, await named(database, filter.name)) }
    }
    const rows = await newest(await candidates(database, filter), after, most + 1)
    const page = rows.slice(0, most)
    const last = page.at(-1)
    const files = await withCopies(database, page)
    return rows.length > most && last ? { files, next: { create_time: last.create_time, name: last.name } } : { files }
  }),

  count: read<FileFilter, number>(async (database, filter) => {
    const { count } = await selectFiles(database, filter)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return count
  }),
}

/** A prefix with at most so many names is sorted as a whole; behind a larger one, the newest are soon met by their times. */
const narrow = 20_000

async function candidates(database: Database, filter: FileFilter) {
  const { glob } = filter
  const prefix = glob === undefined ? '' : literalPrefix(cleanGlob(glob))
  if (prefix === '' || (await countNames(database, prefix, narrow + 1)) > narrow) {
    return database.sql.selectFrom(selectFilesByTime(database, filter).selectAll().as('file')).selectAll()
  }
  // The limit is never met: it is there to have the names gone through first.
  const named = selectFiles(database, filter).selectAll().orderBy('name').limit(narrow)
  return database.sql.selectFrom(named.as('file')).selectAll()
}

async function newest(
  query: Awaited<ReturnType<typeof candidates>>,
  after: FileCursor | undefined,
  limit: number,
): Promise<FileTable[]> {
  const rest = after
    ? query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('create_time', 'name'), '<', tuple(after.create_time, after.name)),
      )
    : query
  return await rest.orderBy('create_time', 'desc').orderBy('name', 'desc').limit(limit).execute()
}

function isNothingElse({ name: _, ...others }: FileFilter): boolean {
  return Object.values(others).every(value => value === undefined)
}

/** What searches ask most: its text is written out, because building it takes longer than the answer. */
async function named({ sql: db }: Database, name: string): Promise<FileTable[]> {
  const { rows } = await sql<FileTable>`SELECT * FROM file WHERE name = ${name}`.execute(db)
  return rows
}

/** Two more queries, however many files; a third where copies are damaged. */
async function withCopies(database: Database, rows: readonly FileTable[]): Promise<FileRecord[]> {
  if (rows.length === 0) return []
  const names = sql.join(rows.map(({ name }) => name))
  const { rows: instances } = await sql<InstanceRecord>`
    SELECT * FROM instance WHERE file_name IN (${names}) ORDER BY id`.execute(database.sql)
  const { rows: remotes } = await sql<RemoteInstanceRecord>`
    SELECT remote_instance.*, peer.name AS librarian_name FROM remote_instance
    JOIN peer ON peer.id = remote_instance.librarian_id
    WHERE remote_instance.file_name IN (${names}) ORDER BY remote_instance.id`.execute(database.sql)
  const since = await badSince(
    database.sql,
    instances.filter(({ state }) => isBad(state)).map(({ id }) => id),
  )
  const told = instances.map(each => (since.has(each.id) ? { ...each, bad_since: since.get(each.id) } : each))
  const here = Map.groupBy(told, ({ file_name }) => file_name)
  const elsewhere = Map.groupBy(remotes, ({ file_name }) => file_name)
  return rows.map(row => ({
    ...row,
    instances: here.get(row.name) ?? [],
    remote_instances: elsewhere.get(row.name) ?? [],
  }))
}
