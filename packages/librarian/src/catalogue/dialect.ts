/** The little in which SQLite and PostgreSQL differ, in one place (reliability 8). */

import type { Instant } from '@arriero/api'
import { type RawBuilder, sql } from 'kysely'
import { type Definitions, postgresDefinitions, sqliteDefinitions } from './definitions.ts'

export interface Dialect {
  readonly name: 'sqlite' | 'postgres'
  /** The database's clock, as an instant. */
  now(): RawBuilder<Instant>
  /** The database's clock moved by seconds. */
  nowPlus(seconds: number): RawBuilder<Instant>
  /** Whether a text column matches a glob of `*` and `?`, by case (`glob.ts`). */
  matchesGlob(column: string, glob: string): RawBuilder<boolean>
  /** A table expression of a JSON array of objects: one parameter and one text, however many rows there are. */
  rowsOf(json: string, columns: Readonly<Record<string, ColumnType>>): RawBuilder<unknown>
  /** After the name of a table: the index by which SQLite reads it, and by no other. PostgreSQL chooses by itself. */
  by(index: string): RawBuilder<unknown>
  /** What migrations are written with. */
  readonly define: Definitions
}

export type ColumnType = 'text' | 'integer'

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  now: () => sql<Instant>`strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')`,
  nowPlus: seconds => sql<Instant>`strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', ${`${seconds} seconds`})`,
  // The plus keeps the name’s index out of it: whoever wants a range of names asks for one.
  matchesGlob: (column, glob) => sql<boolean>`+${sql.ref(column)} GLOB ${glob.replaceAll('[', '[[]')}`,
  rowsOf(json, columns) {
    const fields = Object.entries(columns).map(([name, type]) => {
      const value = sql`value ->> ${sql.lit(name)}`
      return type === 'integer' ? sql`CAST(${value} AS INTEGER) AS ${sql.ref(name)}` : sql`${value} AS ${sql.ref(name)}`
    })
    // Its elements stay in binary form: in text each would be written out, and read again for every column.
    // The limit, which is none, keeps them a table of their own: flattened into a join, and with statistics of a time when the
    // other table was small, SQLite reads the whole array once for each row of that.
    return sql`(SELECT ${sql.join(fields)} FROM jsonb_each(${json}) LIMIT -1)`
  },
  by: index => sql`INDEXED BY ${sql.ref(index)}`,
  define: sqliteDefinitions,
}

const postgresFormat = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'

export const postgresDialect: Dialect = {
  name: 'postgres',
  now: () => sql<Instant>`to_char(clock_timestamp() AT TIME ZONE 'UTC', ${sql.lit(postgresFormat)})`,
  nowPlus: seconds =>
    sql<Instant>`to_char((clock_timestamp() + make_interval(secs => ${seconds})) AT TIME ZONE 'UTC', ${sql.lit(postgresFormat)})`,
  matchesGlob: (column, glob) => sql<boolean>`${sql.ref(column)} LIKE ${likeOf(glob)}`,
  rowsOf(json, columns) {
    const types = { text: sql`text`, integer: sql`bigint` }
    const fields = Object.entries(columns).map(([name, type]) => sql`${sql.ref(name)} ${types[type]}`)
    return sql`(SELECT * FROM jsonb_to_recordset(CAST(${json} AS jsonb)) AS given (${sql.join(fields)}))`
  },
  by: () => sql``,
  define: postgresDefinitions,
}

function likeOf(glob: string): string {
  return glob
    .replace(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_')
}
