import type BetterSqlite3 from 'better-sqlite3'
import { sqliteDialect } from '../dialect.ts'
import type { Database, Operation } from '../operation.ts'
import { kyselyOver } from './kysely.ts'

/** One operation that waits. */
export interface Pending {
  readonly operation: Operation<never, unknown>
  readonly args: unknown
}

export type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** Those that shared a commit; where it failed as a whole, none of them has happened. */
export type Group<P> =
  | { readonly didCommit: true; readonly members: readonly P[]; readonly outcomes: readonly Outcome[] }
  | {
      readonly didCommit: false
      readonly members: readonly P[]
      readonly failure: unknown
      readonly wasAtCommit: boolean
    }

export interface GroupCommitOptions {
  /** Operations that may share a commit. Default 256. */
  readonly maxOperations?: number | undefined
  /** No further operation joins after this time. Default 50 (reliability 8.4). */
  readonly maxMs?: number | undefined
}

/**
 * Runs writes in groups that share one durable commit.
 *
 *     BEGIN IMMEDIATE
 *     for each that waits, until the group is full:   SAVEPOINT; run; RELEASE, or where it threw: ROLLBACK TO
 *     COMMIT                                          one fsync; only now do all outcomes count
 *
 * An operation that throws takes back its own changes and nobody else's. Where SQLite itself ends the whole transaction (disk
 * full, I/O error), every operation of the group fails.
 */
export class GroupCommit {
  readonly database: Database
  readonly #connection: BetterSqlite3.Database
  readonly #maxOperations: number
  readonly #maxMs: number

  constructor(connection: BetterSqlite3.Database, { maxOperations = 256, maxMs = 50 }: GroupCommitOptions = {}) {
    this.#connection = connection
    this.#maxOperations = maxOperations
    this.#maxMs = maxMs
    this.database = { sql: kyselyOver(connection), dialect: sqliteDialect }
  }

  /** Runs what `next` gives until that is nothing or the group is full. Never rejects. */
  async run<P extends Pending>(next: () => P | undefined): Promise<Group<P>> {
    const connection = this.#connection
    const startedAt = performance.now()
    const members: P[] = []
    const outcomes: Outcome[] = []
    let wasAtCommit = false
    try {
      connection.exec('BEGIN IMMEDIATE')
      for (let member = next(); member; member = next()) {
        members.push(member)
        outcomes.push(await this.#runOne(member))
        if (outcomes.length >= this.#maxOperations || performance.now() - startedAt > this.#maxMs) break
      }
      wasAtCommit = true
      connection.exec('COMMIT')
      return { didCommit: true, members, outcomes }
    } catch (failure) {
      if (connection.inTransaction) connection.exec('ROLLBACK')
      return { didCommit: false, members, failure, wasAtCommit }
    }
  }

  async #runOne({ operation, args }: Pending): Promise<Outcome> {
    const connection = this.#connection
    connection.exec('SAVEPOINT operation')
    try {
      const value = await operation.run(this.database, args as never)
      connection.exec('RELEASE operation')
      return { value }
    } catch (error) {
      if (!connection.inTransaction) throw error
      connection.exec('ROLLBACK TO operation; RELEASE operation')
      return { error }
    }
  }
}
