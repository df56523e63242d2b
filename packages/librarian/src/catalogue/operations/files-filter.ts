import type { Instant } from '@arriero/api'
import type { SelectQueryBuilder } from 'kysely'
import { cleanGlob, endOfPrefix, literalPrefix } from '../glob.ts'
import type { Database } from '../operation.ts'
import type { Schema } from '../schema.ts'

/** All are held at once (librarian 10.5). */
export interface FileFilter {
  readonly name?: string | undefined
  /** `*` and `?` over the name. */
  readonly glob?: string | undefined
  /** Both ends included. */
  readonly createTimeWindow?: readonly [from: Instant, to: Instant] | undefined
  readonly uploader?: string | undefined
  readonly source?: string | undefined
  /** Bytes, both ends included. */
  readonly sizeWindow?: readonly [from: number, to: number] | undefined
  /** As the sender gave it. */
  readonly checksum?: string | undefined
  /** Hex. */
  readonly sha256?: string | undefined
}

export type FileQuery = SelectQueryBuilder<Schema, 'file', object>

/** Files that a filter lets through. */
export function selectFiles(database: Database, filter: FileFilter): FileQuery {
  const { glob } = filter
  const query = exactly(database.sql.selectFrom('file'), filter)
  if (glob === undefined) return query
  return withGlob(database, withPrefix(query, literalPrefix(glob)), glob)
}

/** The same, found by looking through times instead of names. */
export function selectFilesByTime(database: Database, filter: FileFilter): FileQuery {
  return withGlob(database, exactly(database.sql.selectFrom('file'), filter), filter.glob)
}

/** Names that begin with a prefix; above `limit` they are not counted on. */
export async function countNames({ sql }: Database, prefix: string, limit: number): Promise<number> {
  const { count } = await sql
    .selectFrom(withPrefix(sql.selectFrom('file'), prefix).select('name').orderBy('name').limit(limit).as('names'))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

function withPrefix(query: FileQuery, prefix: string): FileQuery {
  return prefix === '' ? query : query.where('name', '>=', prefix).where('name', '<=', endOfPrefix(prefix))
}

function withGlob({ dialect }: Database, query: FileQuery, glob: string | undefined): FileQuery {
  return glob === undefined ? query : query.where(dialect.matchesGlob('name', cleanGlob(glob)))
}

function exactly(
  files: FileQuery,
  { name, createTimeWindow, uploader, source, sizeWindow, checksum, sha256 }: FileFilter,
): FileQuery {
  let query = files
  if (name !== undefined) query = query.where('name', '=', name)
  if (createTimeWindow) {
    query = query.where('create_time', '>=', createTimeWindow[0]).where('create_time', '<=', createTimeWindow[1])
  }
  if (uploader !== undefined) query = query.where('uploader', '=', uploader)
  if (source !== undefined) query = query.where('source', '=', source)
  if (sizeWindow) query = query.where('size', '>=', sizeWindow[0]).where('size', '<=', sizeWindow[1])
  if (checksum !== undefined) query = query.where('checksum', '=', checksum)
  if (sha256 !== undefined) query = query.where('sha256', '=', sha256)
  return query
}
