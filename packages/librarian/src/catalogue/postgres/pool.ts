import pg from 'pg'
import type { Log } from '../../log.ts'

export interface Timeouts {
  /** Of one statement, kept by the server. Default 30,000. */
  readonly statementMs: number
  /** Of one wait for a lock, kept by the server. Default 10,000. */
  readonly lockMs: number
  /** Of a transaction in which nothing happens, kept by the server. Default 30,000. */
  readonly idleInTransactionMs: number
  /** Beyond `statementMs`, before a server that does not answer is given up. Default 5,000. */
  readonly silenceMs: number
  /** Of opening a connection, or waiting for a free one. Default 10,000. */
  readonly connectMs: number
  /** How long an operation tries to get through to a server that is away, and how long an outcome is looked for. Default 30,000. */
  readonly awayMs: number
}

export const defaultTimeouts: Timeouts = {
  statementMs: 30_000,
  lockMs: 10_000,
  idleInTransactionMs: 30_000,
  silenceMs: 5000,
  connectMs: 10_000,
  awayMs: 30_000,
}

const int8 = 20
const numeric = 1700

export function createPool(url: string, connections: number, timeouts: Timeouts, log: Log): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: 'arriero',
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: timeouts.connectMs,
    query_timeout: timeouts.statementMs + timeouts.silenceMs,
    keepAlive: true,
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
  })
  pool.on('error', error => log.warn({ error: error.message }, 'connection to the catalogue was lost while idle'))
  // A connection in use reports its end here too; without a listener it would end the process.
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}

function parserOf(type: number, format?: 'text' | 'binary') {
  if (type === int8 || type === numeric) return toNumber
  return pg.types.getTypeParser(type, format as 'text')
}

/** As SQLite gives them. Sizes are at most 2^53-1, so what a number cannot hold is a fault. */
function toNumber(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) throw new Error(`number out of range: ${text}`)
  return number
}
