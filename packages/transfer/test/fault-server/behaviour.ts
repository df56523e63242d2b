import type { FaultRequest } from './log.ts'

/** A byte range, end exclusive. */
export interface ServedRange {
  readonly start: number
  readonly end: number
}

/** How a connection ends. `cut`: FIN without the goodbye of TLS; on plain TCP the same as `fin`. */
export type Ending = 'fin' | 'rst' | 'cut' | 'silent'

/**
 * How one answer departs from a well-behaved server. Everything is optional and composes; `{}` is a faultless answer.
 * Bytes are counted in the body as it is sent (before chunked framing).
 */
export interface Behaviour {
  // Before the head.
  /** Milliseconds to wait before the head. */
  readonly delayMs?: number | undefined
  /** Never answers, or ends the connection without an answer. */
  readonly noAnswer?: Ending | undefined
  /** Sent instead of any answer, then the connection ends with `ending` (default `fin`). A string is latin1. */
  readonly raw?: string | Uint8Array | undefined
  /** Sent before the head, e.g. an interim 103 answer. Latin1. */
  readonly prefix?: string | undefined

  // The head.
  /** Instead of the status that a well-behaved server would choose. 3xx to 5xx have a small text body unless `body` is set. */
  readonly status?: number | undefined
  /** The whole status line, without CRLF. */
  readonly statusLine?: string | undefined
  readonly httpVersion?: '1.0' | '1.1' | undefined
  /** Added to the head or replacing what is there; `undefined` removes. One character is one byte (latin1). */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined
  /** Redirect: Location as sent; the status is 302 unless `status` says otherwise. */
  readonly location?: string | undefined
  /** Retry-After: seconds, a date, or any text. */
  readonly retryAfter?: number | Date | string | undefined
  /** Header lines without end. */
  readonly endlessHeaders?: boolean | undefined
  /** The head goes out in pieces of so many bytes, a segment each. */
  readonly headPieceBytes?: number | undefined
  /** Milliseconds between the pieces of the head. Default 1. */
  readonly headPieceMs?: number | undefined

  // Which bytes.
  /** Answers 200 to every ranged request, or only to those that do not begin at 0. */
  readonly ignoreRange?: boolean | 'tail' | undefined
  /** What is sent for an asked range; `Content-Range` tells the same. */
  readonly serve?: ((asked: ServedRange, size: number) => ServedRange) | undefined
  /** Content-Range as sent, whatever the body is; false: none. */
  readonly contentRange?: string | false | undefined
  /** If-Match, If-Range and the like are not looked at. */
  readonly ignoreConditions?: boolean | undefined
  /** Entity tag as sent, quotes included; false: none. */
  readonly etag?: string | false | undefined
  /** Milliseconds since 1970; false: none. */
  readonly lastModified?: number | false | undefined
  /** Other content of the same size; the default entity tag follows it. */
  readonly version?: number | undefined
  /** The stored content is sent gzipped with Content-Encoding: gzip, whatever was asked. Ranges count in the coded bytes. */
  readonly gzip?: boolean | undefined
  /** Sent instead of the content; ranges are not looked at. */
  readonly body?: string | Uint8Array | undefined
  /** Offsets in the resource whose byte arrives with its lowest bit turned over. */
  readonly flip?: readonly number[] | undefined

  // How the body is framed.
  /** `close`: no length, the end of the connection ends the body. Default `length`. */
  readonly framing?: 'length' | 'chunked' | 'close' | undefined
  /** The closing chunk is missing and the connection ends with `ending` (default `fin`). */
  readonly unterminated?: boolean | undefined
  /** Bytes per chunk of a chunked body. Default 16 KiB. */
  readonly chunkBytes?: number | undefined
  /** Content-Length as sent, whatever the body is; false: none. */
  readonly contentLength?: number | string | false | undefined

  // How the body travels and ends.
  /** Bytes per second of this answer. */
  readonly bytesPerSecond?: number | undefined
  /** The body stops after so many bytes and the connection ends with `ending` (default `fin`). */
  readonly truncateAfter?: number | undefined
  readonly ending?: Ending | undefined
  /** So many bytes more than promised; Infinity never ends. */
  readonly extraBytes?: number | undefined
  /** The connection ends after this answer although nothing announced it. */
  readonly closeAfter?: 'fin' | 'rst' | undefined
}

/** Decides per request. `attempt` is 1 for the first request to a path. Undefined: well-behaved. */
export type Script = (request: FaultRequest, attempt: number) => Behaviour | undefined | Promise<Behaviour | undefined>
