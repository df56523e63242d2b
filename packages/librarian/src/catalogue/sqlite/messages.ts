/** What the main thread and the catalogue's threads tell each other. */
import { type ErrorCode, type ErrorFields, LibrarianError } from '@arriero/api/errors'
import type { Log } from '../../log.ts'
import { toLibrarianError } from './failures.ts'

export interface ThreadData {
  readonly path: string
  /** URL of the module that exports `operations`. */
  readonly operations: string
  readonly busyTimeoutMs: number
}

export interface Call {
  readonly id: number
  readonly area: string
  readonly name: string
  readonly args: unknown
}

export type Ask = { readonly ask: 'calls'; readonly calls: readonly Call[] } | { readonly ask: 'close' }

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }

export type Tell =
  | { readonly tell: 'ready' }
  /** It could not be opened; the thread ends. */
  | { readonly tell: 'refused'; readonly error: WireError }
  | { readonly tell: 'replies'; readonly replies: readonly Reply[] }
  /** Nothing more can be trusted (`isCondemning`); the thread runs nothing any more. */
  | { readonly tell: 'condemned'; readonly error: WireError }
  | { readonly tell: 'log'; readonly level: keyof Log; readonly fields: object; readonly message: string }

/** A `LibrarianError` as plain data: clones lose the class. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly remedy: string
  readonly fields: ErrorFields
  readonly retryAfterSeconds: number | undefined
  /** Of what was not a `LibrarianError`: for logs. */
  readonly stack: string | undefined
}

export function toWire(thrown: unknown): WireError {
  const { code, message, remedy, fields, retryAfterSeconds, cause } = toLibrarianError(thrown)
  const stack = cause instanceof Error ? cause.stack : undefined
  return { code, message, remedy, fields, retryAfterSeconds, stack }
}

export function fromWire({ code, message, stack, ...options }: WireError): LibrarianError {
  return new LibrarianError(code, message, { ...options, ...(stack === undefined ? {} : { cause: new Error(stack) }) })
}
