/**
 * A source reads the bytes of one resource. Contract; every implementation passes `test/source-suite.ts`.
 *
 * What must hold:
 * - `fetch` makes exactly one attempt: no retrying inside a source (a decorator does that).
 * - Bytes are poured into the landing in ascending order from `answer.start`, each byte once, never past its limit.
 *   Nothing that does not belong to the asked range of the expected version is ever poured.
 * - `fetch` resolves when the landing is complete (also when its limit was lowered meanwhile) or when the body ended
 *   where the answer said it would. A body that was cut rejects with a retriable error; what was poured stays valid.
 * - An answer that contradicts `expected` (size, validator, version) rejects with ResourceChanged before any byte.
 * - Waiting ends at once when `signal` aborts; the promise then rejects with the signal's reason.
 * - `fetch` may run many times at once if `capabilities.parallel`.
 */
import type { Range, Resource } from './resource.ts'

export interface SourceCapabilities {
  /** Several `fetch` calls may run at once. */
  readonly parallel: boolean
  /** `list` exists. */
  readonly list: boolean
}

/** What the source learnt from the head of an answer, before any byte of it landed. */
export interface Answer {
  readonly resource: Resource
  /** Offset of the first byte that will be poured. */
  readonly start: number
  /** One past the last byte of this answer; undefined when only its end will tell. */
  readonly end: number | undefined
  /** What tells where the body ends; the end of a `close`-delimited one proves nothing (retrieval 8.2). */
  readonly framing: 'length' | 'chunked' | 'close'
}

/**
 * Where the bytes of one answer land. The source fills `room()` from its beginning and reports by `advance`.
 * An empty room means: stop reading, await `whenRoom()`, ask again; unless `isComplete`, then the answer is done with.
 *
 * Room is lent until `fetch` settles or `room()` is asked again: the kernel may write anywhere into it at any moment, also
 * beyond a limit that was lowered meanwhile, though only what is within the limit is reported by `advance`.
 */
export interface Landing {
  room(): Uint8Array
  advance(count: number): void
  /** Resolves when there is room, and when the landing becomes complete. */
  whenRoom(): Promise<void>
  /** No more bytes are wanted; may become true at any time because another connection took over the tail. */
  readonly isComplete: boolean
}

export interface FetchRequest {
  /** The bytes wanted; undefined asks for the whole resource as one stream. */
  readonly range: Range | undefined
  /** What earlier answers said: this one must agree. Undefined on first contact. */
  readonly expected: Resource | undefined
  /**
   * Called once, when the head of the answer is known and acceptable, before any byte is poured.
   * The answer may start at 0 and cover everything although a range was asked: the source ignores ranges.
   * A throw cancels the request and rejects `fetch` with the thrown error.
   */
  answered(answer: Answer): Landing
  readonly signal: AbortSignal
  /** After a failure: do not reuse a connection, prefer another address. */
  readonly fresh?: boolean | undefined
}

export interface Source {
  /** For people and logs: user-info and signatures replaced. */
  readonly uri: string
  /** Limits are kept per origin, e.g. `https://host:443`. */
  readonly origin: string
  readonly capabilities: SourceCapabilities
  /** Learns about the resource without taking its body. */
  probe(options: { signal: AbortSignal }): Promise<Resource>
  fetch(request: FetchRequest): Promise<void>
  /** Frees what belongs to this source alone; may be called twice. */
  close(): Promise<void>
}
