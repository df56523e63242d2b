import type BetterSqlite3 from 'better-sqlite3'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Schema } from '../schema.ts'

/** Statements kept prepared; each takes a few KiB. */
const STATEMENT_LIMIT = 200

/**
 * Queries over one open connection that somebody else owns: who runs operations begins and ends the transactions, so
 * `transaction()` is refused here.
 */
export function kyselyOver(database: BetterSqlite3.Database): Kysely<Schema> {
  const driver = new OneConnection(database)
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: db => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

class OneConnection implements Driver, DatabaseConnection {
  readonly #database: BetterSqlite3.Database
  readonly #statements = new Map<string, BetterSqlite3.Statement>()

  constructor(database: BetterSqlite3.Database) {
    this.#database = database
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.#prepared(sql)
    if (statement.reader) return { rows: statement.all(parameters) as R[] }
    const { changes, lastInsertRowid } = statement.run(parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  #prepared(sql: string): BetterSqlite3.Statement {
    const known = this.#statements.get(sql)
    if (known) {
      // The map keeps the order of insertion: moved to its end, it is the last to go.
      this.#statements.delete(sql)
      this.#statements.set(sql, known)
      return known
    }
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    if (this.#statements.size > STATEMENT_LIMIT) this.#statements.delete(this.#statements.keys().next().value!)
    return statement
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
