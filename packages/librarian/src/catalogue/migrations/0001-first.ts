/** The first schema. Constraints, triggers and indexes are part of the promises: see reliability 8.8 and 8.9. */
import { type Kysely, sql } from 'kysely'
import type { Dialect } from '../dialect.ts'
import type { Schema } from '../schema.ts'
import { refusals } from './0001/refusals.ts'
import { tables } from './0001/tables.ts'
import { views } from './0001/views.ts'

export async function up(db: Kysely<Schema>, { define }: Dialect): Promise<void> {
  const statements = [
    ...define.prelude,
    ...tables(define),
    ...define.nameIndex,
    ...define.sequence('trail_order'),
    ...refusals(define),
    ...views(define),
  ]
  for (const statement of statements) await sql.raw(statement).execute(db)
}
