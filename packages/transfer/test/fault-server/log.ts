import type { RequestHead } from './request.ts'

/** One request as the server saw it; also its line in the log, where the later fields are filled in as it is answered. */
export interface FaultRequest extends RequestHead {
  /** Bytes of a body with Content-Length. */
  readonly body: Buffer
  /** 1 for the server's first connection. */
  readonly connection: number
  /** 1 for the first request on its connection. */
  readonly indexOnConnection: number
  /** 1 for the first request to this path. */
  readonly attempt: number
  /** 1 for the first request to this path with this first byte. */
  readonly rangeAttempt: number
  /** Requests that were being answered when this one came, this one included. */
  readonly concurrent: number
  /** Milliseconds since the server started. */
  readonly at: number
  /** Milliseconds since the server started; undefined while it is being answered. */
  endedAt: number | undefined
  /** Status sent; undefined when there was none. */
  status: number | undefined
  /** Body bytes handed to the socket so far; the client may have received less. */
  sent: number
}

export interface FaultConnection {
  /** 1 for the first. */
  readonly number: number
  /** Milliseconds since the server started. */
  readonly openedAt: number
  closedAt: number | undefined
  requests: number
  /** Body bytes handed to the socket. */
  sent: number
}

/** One request in one line, for the message of a failed test. Never shows header values: tests use them as secrets. */
export function describeRequest(request: FaultRequest): string {
  const { at, connection, method, target, status, sent } = request
  const range = request.headers.range ?? 'no range'
  return `${at.toFixed(0).padStart(6)} ms  #${connection}  ${method} ${target}  ${range}  -> ${status ?? '-'}, ${sent} bytes`
}
