/** Filling an empty catalogue with the rows of another librarian's database, under the numbers that they have there. */
import { type Insertable, sql as raw } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import type { Schema } from '../schema.ts'
import { takeNumbers } from '../trail-order.ts'

/** Tables whose rows may be taken over, each row whole. */
const tables = [
  'store',
  'account',
  'peer',
  'file',
  'instance',
  'remote_instance',
  'incoming_transfer',
  'outgoing_transfer',
  'clone_transfer',
  'error',
  'corrupt_file',
] as const satisfies (keyof Schema)[]

export type ImportedTable = (typeof tables)[number]

export type ImportedRows = {
  [Table in ImportedTable]: { readonly table: Table; readonly rows: readonly Insertable<Schema[Table]>[] }
}[ImportedTable]

export const importing = {
  /** Whether nobody has used it yet: a store, a user or a file would be mixed with those that come. */
  isUnused: read<void, boolean>(async ({ sql }) => {
    for (const table of ['store', 'account', 'file'] as const) {
      if (await sql.selectFrom(table).select(raw`1`.as('one')).limit(1).executeTakeFirst()) return false
    }
    return true
  }),

  insert: write<ImportedRows, void>((database, { table, rows }) => insertAll(database, table, rows)),

  /** Copies, each with the number of its line in the trail. */
  insertCopies: write<{ rows: readonly Insertable<Schema['instance']>[] }, number[]>(async (database, { rows }) => {
    await insertAll(database, 'instance', rows)
    return await takeNumbers(database, rows.length)
  }),

  /** The next row that this catalogue adds to any of these tables has a greater number than all that are there. */
  endNumbers: write<void, void>(async ({ sql, dialect }) => {
    // SQLite remembers the greatest by itself.
    if (dialect.name === 'sqlite') return
    for (const table of tables) {
      if (table === 'account' || table === 'file') continue
      await raw`
        SELECT setval(pg_get_serial_sequence(${table}, 'id'), GREATEST(1, (SELECT MAX(id) FROM ${raw.table(table)})),
          (SELECT MAX(id) FROM ${raw.table(table)}) IS NOT NULL)`.execute(sql)
    }
  }),
}

/** Per statement: databases bound the number of values. */
const ROWS = 500

async function insertAll(
  { sql }: Database,
  table: ImportedTable,
  rows: readonly Insertable<Schema[ImportedTable]>[],
): Promise<void> {
  for (let at = 0; at < rows.length; at += ROWS) {
    // The caller's type says that these are rows of this table.
    const values = rows.slice(at, at + ROWS) as Insertable<Schema['file']>[]
    await sql
      .insertInto(table as 'file')
      .values(values)
      // The same copy may be there twice, elsewhere or damaged (librarian 12.9): the oldest row stays.
      .$if(table === 'remote_instance' || table === 'corrupt_file', insert =>
        insert.onConflict(conflict => conflict.doNothing()),
      )
      .execute()
  }
}
