/**
 * How everything that reads or writes the catalogue is written: as an operation, one transaction each.
 *
 * An operation is a function of a database and plain arguments, registered by area and name in `operations/index.ts`. It
 * touches nothing but the database: no file, no network, no clock but the database's. That is what lets SQLite run it in a
 * thread of its own, share one durable commit among all operations that wait (group commit), and lets PostgreSQL run the
 * whole again after a serialization failure: **an operation may run twice; only its last run counts**.
 *
 * Arguments and results are cloned between threads, so they are plain data. What it throws is a `LibrarianError`; anything
 * else is a fault of ours.
 */
import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/** What an operation is given: queries, and the little in which the two databases differ. */
export interface Database {
  readonly sql: Kysely<Schema>
  readonly dialect: Dialect
}

export interface Operation<Arguments, Result> {
  /** Writers are serialised and durable when they resolve; readers see a snapshot and never wait for writers. */
  readonly access: 'read' | 'write'
  run(database: Database, args: Arguments): Promise<Result>
}

export function read<Arguments, Result>(
  run: (database: Database, args: Arguments) => Promise<Result>,
): Operation<Arguments, Result> {
  return { access: 'read', run }
}

export function write<Arguments, Result>(
  run: (database: Database, args: Arguments) => Promise<Result>,
): Operation<Arguments, Result> {
  return { access: 'write', run }
}
