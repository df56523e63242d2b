import type BetterSqlite3 from 'better-sqlite3'
import {
  type CompiledQuery,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { createDriver } from '../create-driver.ts'
import type { Schema } from '../schema.ts'

/** Statements kept prepared; each takes a few KiB. */
const STATEMENT_LIMIT = 200

/**
 * Queries over one open connection that somebody else owns: who runs operations begins and ends the transactions, so
 * `transaction()` is refused here.
 */
export function kyselyOver(database: BetterSqlite3.Database): Kysely<Schema> {
  const statements = new Statements(database)
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => createDriver(query => statements.execute(query)),
      createIntrospector: db => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

class Statements {
  readonly #database: BetterSqlite3.Database
  readonly #statements = new Map<string, BetterSqlite3.Statement>()

  constructor(database: BetterSqlite3.Database) {
    this.#database = database
  }

  execute<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
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
}
