/**
 * Numbers of the trail's lines (reliability G1): of two acts on one name the later one has the greater, whichever process did
 * it and whatever its clock said. An act takes its number inside the transaction that begins it, when every earlier act on that
 * name has ended; whoever writes its line late writes the old number. Numbers may be left out; none is given twice.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Database } from './operation.ts'

/** An expression that gives each row of one `INSERT … SELECT` the next number. */
export async function takeOrders({ sql: db, dialect }: Database, count: number): Promise<RawBuilder<number>> {
  // A sequence costs no statement of its own, and two commits that run side by side do not meet in a row.
  if (dialect.name === 'postgres') return nextOfSequence
  const last = await advance({ sql: db, dialect }, count)
  return sql<number>`${sql.lit(last - count)} + ROW_NUMBER() OVER ()`
}

/** The same for one row. */
export async function takeOrder(database: Database): Promise<RawBuilder<number>> {
  return database.dialect.name === 'postgres' ? nextOfSequence : sql<number>`${await advance(database, 1)}`
}

/** The next numbers themselves, for lines whose rows are there already. */
export async function takeNumbers(database: Database, count: number): Promise<number[]> {
  if (database.dialect.name === 'postgres') {
    const { rows } = await sql<{ value: number | string }>`
      SELECT ${nextOfSequence} AS value FROM generate_series(1, ${sql.lit(count)})`.execute(database.sql)
    return rows.map(({ value }) => Number(value))
  }
  const last = await advance(database, count)
  return Array.from({ length: count }, (_, index) => last - count + 1 + index)
}

/** From here on every number is greater than this one. */
export async function raiseOrder({ sql: db, dialect }: Database, over: number): Promise<void> {
  if (dialect.name === 'postgres') {
    await sql`SELECT setval('trail_order', GREATEST(last_value, ${over})) FROM trail_order`.execute(db)
  } else {
    await sql`UPDATE trail_order SET last = ${over} WHERE last < ${over}`.execute(db)
  }
}

const nextOfSequence = sql<number>`nextval('trail_order')`

async function advance({ sql: db }: Database, count: number): Promise<number> {
  const { rows } = await sql<{ last: number }>`UPDATE trail_order SET last = last + ${count} RETURNING last`.execute(db)
  return rows[0]!.last
}
