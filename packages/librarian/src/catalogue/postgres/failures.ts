import { LibrarianError } from '@arriero/api'
import { DatabaseError, type Pool, type PoolClient, type QueryResult, type QueryResultRow } from 'pg'

/** The whole transaction may be run again: PostgreSQL took it back because of others (reliability 8.6). */
export function isSerializationFailure(error: unknown): boolean {
  return codeOf(error) === '40001' || codeOf(error) === '40P01'
}

/** A write met a server that only reads: it is, or became, a replica. */
export function isReplicaRefusal(error: unknown): boolean {
  return codeOf(error) === '25006'
}

/** The connection ended, or nothing came back over it: what the server did is not told by this. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** One round trip. Rejects with what the server answered, or with `ConnectionLost`. */
export async function ask<Row extends QueryResultRow>(
  client: PoolClient,
  text: string,
  values?: unknown[],
): Promise<QueryResult<Row>> {
  try {
    return await client.query<Row>(text, values)
  } catch (error) {
    throw error instanceof DatabaseError && !endsConnection(error) ? error : lost(error)
  }
}

export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw lost(error)
  }
}

function lost(cause: unknown): ConnectionLost {
  return new ConnectionLost(cause instanceof Error ? cause.message : String(cause), { cause })
}

/** Classes 08 (connection) and 57P (shutdown, crash, starting); 53300: no connection free. */
function endsConnection({ code = '', severity }: DatabaseError): boolean {
  return severity === 'FATAL' || severity === 'PANIC' || /^(08|57P|53300)/.test(code)
}

/** What an operation threw, as the one error that callers know. */
export function toLibrarianError(error: unknown): LibrarianError {
  if (error instanceof LibrarianError) return error
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code === '23505') {
    return new LibrarianError('Conflict', `The catalogue has this already: ${message}`, { cause: error })
  }
  if (code.startsWith('23')) {
    return new LibrarianError('Internal', `The catalogue’s rules forbid this: ${message}`, { cause: error })
  }
  if (code === '55P03' || code === '57014' || isSerializationFailure(error)) {
    return new LibrarianError('Busy', `The catalogue is too busy with others for this: ${message}`, {
      retryAfterSeconds: 1,
      cause: error,
    })
  }
  if (code === '53100') {
    return new LibrarianError('NoSpace', 'The catalogue’s disk is full: nothing was changed', {
      remedy: 'Free some space on the database’s disk; then try again.',
      cause: error,
    })
  }
  return new LibrarianError('Internal', `The catalogue failed: ${message}`, { cause: error })
}

function codeOf(error: unknown): string {
  return (error instanceof DatabaseError && error.code) || ''
}
