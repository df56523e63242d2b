import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import type { PoolClient, QueryResultRow } from 'pg'
import type { Schema } from '../schema.ts'
import { ask } from './failures.ts'

/** Queries over one connection inside a transaction that somebody else began and ends. */
export function kyselyOver(client: PoolClient): Kysely<Schema> {
  const driver = new OneConnection(client)
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: db => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}

class OneConnection implements Driver, DatabaseConnection {
  readonly #client: PoolClient

  constructor(client: PoolClient) {
    this.#client = client
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, rowCount } = await ask<R & QueryResultRow>(this.#client, sql, [...parameters])
    return { rows, numAffectedRows: BigInt(rowCount ?? 0) }
  }

  // biome-ignore lint/correctness/useYield: rows of a catalogue are read in pages, never as a stream
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('the catalogue does not stream rows')
  }

  async init() {}
  async acquireConnection() {
    return this
  }
  async releaseConnection() {}
  async destroy() {}

  async beginTransaction(): Promise<never> {
    throw new Error('an operation is one transaction already')
  }
  async commitTransaction(): Promise<never> {
    return this.beginTransaction()
  }
  async rollbackTransaction(): Promise<never> {
    return this.beginTransaction()
  }
}
