/**
 * A route that carries bytes, or speaks a protocol of its own: it is handed Node's request and response, because bytes
 * shall not pass through more code than they must.
 *
 * The app authenticates, holds the caller to the level and answers what is thrown while no head has been sent; once one has
 * been sent, a throw ends the connection, so that nobody takes a part for the whole. A handler resolves when the answer
 * has ended.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Level } from '@arriero/api'
import type { Call, Caller } from './route.ts'

export interface RawCall extends Call {
  /** Scheme, host and port by which the caller came here. */
  readonly origin: string
  /** Of the caller, as far as proxies are believed. */
  readonly address: string
  /** Who the caller is by now; rejects when they may no longer do this. For answers that last. */
  readonly again: () => Promise<Caller>
}

export interface RawRoute {
  readonly methods: readonly string[]
  /** As the app's router takes it; `*` at its end stands for any rest. */
  readonly path: string
  /** Least level of a caller, by method where they differ. */
  readonly level: Level
  /** Methods that need no credentials: `OPTIONS` of tus. */
  readonly openMethods?: readonly string[]
  /** It answers `Expect: 100-continue` itself, so that what it refuses is never sent. */
  readonly asksForBody?: true
  /** How it writes failures; default the librarian's own form (librarian 4.3). */
  readonly writeFailure?: (error: unknown, response: ServerResponse) => void
  /** Another proof of who calls than a password; undefined: it has none, ask for the password. */
  readonly identify?: (request: IncomingMessage) => Promise<Caller | undefined>
  /** The server stops: answers that would go on for ever end now. */
  readonly endAll?: () => void
  handle(request: IncomingMessage, response: ServerResponse, call: RawCall): Promise<void>
}
