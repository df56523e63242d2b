import type BetterSqlite3 from 'better-sqlite3'
import type { Database } from '../operation.ts'
import type { Outcome, Pending } from './group-commit.ts'

/** Reads of one connection on one snapshot, which is taken by the first read and given back by `end`. */
export class Snapshot {
  readonly #connection: BetterSqlite3.Database
  readonly #database: Database
  readonly #begin: BetterSqlite3.Statement
  readonly #rollback: BetterSqlite3.Statement

  constructor(connection: BetterSqlite3.Database, database: Database) {
    this.#connection = connection
    this.#database = database
    this.#begin = connection.prepare('BEGIN')
    this.#rollback = connection.prepare('ROLLBACK')
  }

  /** Never rejects. After a read that failed the next one takes a snapshot of its own. */
  async read({ operation, args }: Pending): Promise<Outcome> {
    try {
      if (!this.#connection.inTransaction) this.#begin.run()
      return { value: await operation.run(this.#database, args as never) }
    } catch (error) {
      this.end()
      return { error }
    }
  }

  end(): void {
    if (this.#connection.inTransaction) this.#rollback.run()
  }
}
