/**
 * One operation, one transaction, one certain answer.
 *
 *     write:  BEGIN SERIALIZABLE; note its id in `outcome`; run; COMMIT
 *     lost before COMMIT was sent        nothing happened: again, on a new connection
 *     40001 or 40P01                     others were first: again, from the start, at most 10 times
 *     lost after COMMIT was sent         unknown: on a new connection, write `outcome` with the same id and `is_committed` 0.
 *                                        That waits for the old transaction to end. Its row is there: it committed, and what the
 *                                        operation returned is the answer. Ours is there: it never will; again.
 *     still unknown when time is up      `OutcomeUnknown`; never an acknowledgement, never a second run
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LibrarianError } from '@arriero/api'
import type { Pool, PoolClient } from 'pg'
import { postgresDialect } from '../dialect.ts'
import type { Operation } from '../operation.ts'
import { ask, ConnectionLost, connect, isReplicaRefusal, isSerializationFailure, toLibrarianError } from './failures.ts'
import { kyselyOver } from './kysely.ts'
import type { Timeouts } from './pool.ts'
import { Turns } from './turns.ts'

/** Times that a transaction is run, where others keep being first (reliability 8.6). */
const maxRuns = 10
/** Beaten so often side by side, it runs alone. */
const runsBeside = 3

export interface TransactionsOptions {
  readonly pool: Pool
  readonly timeouts: Timeouts
  /** Between 0 and 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

export class Transactions {
  readonly #pool: Pool
  readonly #timeouts: Timeouts
  readonly #random: () => number
  readonly #turns = new Turns()

  constructor({ pool, timeouts, random = Math.random }: TransactionsOptions) {
    this.#pool = pool
    this.#timeouts = timeouts
    this.#random = random
  }

  async run(operation: Operation<never, unknown>, args: unknown): Promise<unknown> {
    const givesUpAt = performance.now() + this.#timeouts.awayMs
    let beaten = 0
    for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, 1000)) {
      const leave = await this.#turns.enter(operation.access === 'write' && beaten >= runsBeside)
      try {
        return operation.access === 'read' ? await this.#read(operation, args) : await this.#write(operation, args)
      } catch (error) {
        if (isSerializationFailure(error) && ++beaten < maxRuns) pauseMs = 2 ** beaten
        else if (!(error instanceof ConnectionLost)) throw toLibrarianError(error)
        else if (performance.now() > givesUpAt) throw unreachable(error)
      } finally {
        leave()
      }
      await sleep(pauseMs * (0.5 + this.#random()))
    }
  }

  async #read(operation: Operation<never, unknown>, args: unknown): Promise<unknown> {
    return await this.#with(async client => {
      // Nothing is decided by what a replica says: it may be behind.
      const begun = await ask(
        client,
        `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${this.#limits()}; SELECT pg_is_in_recovery() AS is_replica`,
      )
      const results = begun as unknown as { rows: { is_replica: boolean }[] }[]
      if (results.at(-1)?.rows[0]?.is_replica) throw new ConnectionLost('the server is a replica now')
      const value = await operation.run({ sql: kyselyOver(client), dialect: postgresDialect }, args as never)
      await ask(client, 'COMMIT')
      return value
    })
  }

  async #write(operation: Operation<never, unknown>, args: unknown): Promise<unknown> {
    const id = randomBytes(16).toString('hex')
    const state = { isCommitSent: false, value: undefined as unknown }
    try {
      await this.#with(async client => {
        await this.#begin(client, id)
        state.value = await operation.run({ sql: kyselyOver(client), dialect: postgresDialect }, args as never)
        state.isCommitSent = true
        const { command } = await ask(client, 'COMMIT')
        if (command !== 'COMMIT')
          throw new LibrarianError('Internal', 'The catalogue took the change back: a statement had failed')
      })
    } catch (error) {
      if (!state.isCommitSent || !(error instanceof ConnectionLost)) throw error
      if (!(await this.#didCommit(id, error))) throw error
    }
    return state.value
  }

  async #begin(client: PoolClient, id: string): Promise<void> {
    try {
      await ask(
        client,
        `BEGIN ISOLATION LEVEL SERIALIZABLE; ${this.#limits()}; SET LOCAL synchronous_commit = on; ${noteOf(id, 1)}`,
      )
    } catch (error) {
      throw isReplicaRefusal(error) ? new ConnectionLost('the server is a replica now', { cause: error }) : error
    }
  }

  /** Whether a transaction whose COMMIT was sent has happened. Once it says no, it never will. */
  async #didCommit(id: string, cause: unknown): Promise<boolean> {
    const givesUpAt = performance.now() + this.#timeouts.awayMs
    for (let pauseMs = 10; performance.now() < givesUpAt; pauseMs = Math.min(pauseMs * 2, 1000)) {
      try {
        return await this.#with(async client => {
          await ask(
            client,
            `BEGIN; ${this.#limits()}; SET LOCAL synchronous_commit = on; ${noteOf(id, 0)} ON CONFLICT DO NOTHING`,
          )
          await ask(client, 'COMMIT')
          const { rows } = await ask<{ is_committed: number }>(
            client,
            'SELECT is_committed FROM outcome WHERE id = $1',
            [id],
          )
          if (!rows[0]) throw new Error('the outcome is not there')
          return rows[0].is_committed === 1
        })
      } catch {
        // The server may still be away, or the old transaction may still be ending.
        await sleep(pauseMs * (0.5 + this.#random()))
      }
    }
    throw new LibrarianError(
      'OutcomeUnknown',
      'The connection to the database was lost during a commit, and it cannot be asked whether that happened',
      { cause },
    )
  }

  /** A connection for one transaction: given back after it, closed where its state is not certain. */
  async #with<T>(use: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await connect(this.#pool)
    let isSound = true
    try {
      return await use(client)
    } catch (error) {
      isSound = !(error instanceof ConnectionLost) && (await rollBack(client))
      throw error
    } finally {
      client.release(!isSound)
    }
  }

  /** In the transaction, not the session: a pooler may give the session to others. */
  #limits(): string {
    const { statementMs, lockMs, idleInTransactionMs } = this.#timeouts
    return `SET LOCAL statement_timeout = ${statementMs}; SET LOCAL lock_timeout = ${lockMs};
            SET LOCAL idle_in_transaction_session_timeout = ${idleInTransactionMs}`
  }
}

/** The id is ours, in hex: it travels in the text, so that it costs no turn of its own. */
function noteOf(id: string, isCommitted: 0 | 1): string {
  const time = `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
  return `INSERT INTO outcome (id, time, is_committed) VALUES ('${id}', ${time}, ${isCommitted})`
}

async function rollBack(client: PoolClient): Promise<boolean> {
  try {
    await ask(client, 'ROLLBACK')
    return true
  } catch {
    return false
  }
}

function unreachable(cause: unknown): LibrarianError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new LibrarianError('Busy', `The catalogue’s database cannot be reached: ${why}; nothing was changed`, {
    retryAfterSeconds: 5,
    cause,
  })
}
