/**
 * Many rows as one parameter. A statement over a row set has the same text for one row and for a thousand, so it is compiled
 * once, and a batch costs a handful of statements instead of some for each of its items.
 */
import { type RawBuilder, sql } from 'kysely'
import type { ColumnType, Dialect } from './dialect.ts'

type Plain = string | number | null

/** A table expression, to be given a name where it is used. */
export function rowSet<Column extends string>(
  dialect: Dialect,
  columns: Readonly<Record<Column, ColumnType>>,
  rows: readonly Readonly<Record<Column, Plain>>[],
): RawBuilder<unknown> {
  return dialect.rowsOf(JSON.stringify(rows), columns)
}

/** A list for `IN`, of any length, as one parameter. */
export function listOf<Value extends string | number>(
  dialect: Dialect,
  type: ColumnType,
  values: readonly Value[],
): RawBuilder<Value> {
  const rows = values.map(value => ({ value }))
  return sql<Value>`(SELECT given.value FROM ${rowSet(dialect, { value: type }, rows)} AS given)`
}
