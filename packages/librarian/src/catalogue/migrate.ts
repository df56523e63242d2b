import { LibrarianError } from '@arriero/api/errors'
import { sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import { migrations as released } from './migrations/index.ts'
import type { Database } from './operation.ts'

export interface Migration {
  readonly name: string
  readonly up: (sql: Database['sql'], dialect: Dialect) => Promise<void>
}

/** What the schema of a catalogue has behind it and before it. */
export interface SchemaState {
  /** No migration has run yet. */
  readonly isNew: boolean
  readonly pending: readonly Migration[]
}

/** Resolves to what `migrate` would do. Refuses a schema that is newer than this program (reliability G3). */
export async function schemaState(
  { sql: db, dialect }: Database,
  migrations: readonly Migration[] = released,
): Promise<SchemaState> {
  const type = dialect.define.types.text
  await sql
    .raw(
      `CREATE TABLE IF NOT EXISTS migration (name ${type} PRIMARY KEY NOT NULL, time ${type} NOT NULL)${dialect.define.tableSuffix}`,
    )
    .execute(db)
  const { rows } = await sql<{ name: string }>`SELECT name FROM migration`.execute(db)
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = rows.find(({ name }) => !known.has(name))
  if (unknown) {
    throw new LibrarianError(
      'Configuration',
      `Cannot open the catalogue: it has the migration ${unknown.name}, which this program does not know`,
      { remedy: 'Use a program at least as new as the one that wrote this catalogue.' },
    )
  }
  const done = new Set(rows.map(({ name }) => name))
  return { isNew: done.size === 0, pending: migrations.filter(({ name }) => !done.has(name)) }
}

/**
 * Brings the schema up to date. Runs in the caller's one transaction, which holds off every other process: either all pending
 * migrations have happened or none.
 */
export async function migrate(database: Database, migrations: readonly Migration[] = released): Promise<void> {
  const { pending } = await schemaState(database, migrations)
  for (const { name, up } of pending) {
    await up(database.sql, database.dialect)
    await sql`INSERT INTO migration (name, time) VALUES (${name}, ${database.dialect.now()})`.execute(database.sql)
  }
}
