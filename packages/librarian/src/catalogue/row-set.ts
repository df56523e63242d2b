/**
 * Many rows as one parameter. A statement over a row set has the same text for one row and for a thousand, so it is compiled
 * once, and a batch costs a handful of statements instead of some for each of its items.
 */
import type { RawBuilder } from 'kysely'
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
