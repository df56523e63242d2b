import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'

/** Runs one query on the connection there is. */
export type Execute = <R>(query: CompiledQuery) => QueryResult<R> | Promise<QueryResult<R>>

/**
 * A driver over one open connection that somebody else owns: who runs operations begins and ends the transactions, so
 * `transaction()` is refused here.
 */
export function createDriver(execute: Execute): Driver {
  const connection: DatabaseConnection = {
    executeQuery: async query => execute(query),
    // biome-ignore lint/correctness/useYield: rows of a catalogue are read in pages, never as a stream
    async *streamQuery() {
      throw new Error('the catalogue does not stream rows')
    },
  }
  const refuse = async (): Promise<never> => {
    throw new Error('an operation is one transaction already')
  }
  return {
    async init() {},
    acquireConnection: async () => connection,
    async releaseConnection() {},
    async destroy() {},
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
  }
}
