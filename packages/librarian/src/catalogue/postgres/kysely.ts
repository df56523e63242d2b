import { type CompiledQuery, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { PoolClient, QueryResultRow } from 'pg'
import { createDriver } from '../create-driver.ts'
import type { Schema } from '../schema.ts'
import { ask } from './failures.ts'

/** Queries over one connection inside a transaction that somebody else began and ends. */
export function kyselyOver(client: PoolClient): Kysely<Schema> {
  const driver = createDriver(async <R>({ sql, parameters }: CompiledQuery) => {
    const { rows, rowCount } = await ask<R & QueryResultRow>(client, sql, [...parameters])
    return { rows, numAffectedRows: BigInt(rowCount ?? 0) }
  })
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: db => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}
