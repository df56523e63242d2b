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
 * - `list`, where it exists, names what lies below a URI that ends with `/`, each name once, in any order. It asks again
 *   by itself after failures that pass; what it cannot read rejects, so that a listing is never silently short. A place
 *   that is not there rejects with NotFound where the source can tell (object stores cannot: nothing is listed).
 */
import type { AnswerHead } from './http/answer-head.ts'
import type { OfferedChecksum } from './integrity/checksum.ts'
import type { EntityTag, Range, Resource } from './resource.ts'

/** What a source can do; asked before it is relied on. */
export interface SourceCapabilities {
  /** Several `fetch` calls may run at once. */
  readonly parallel: boolean
  /** `list` exists. */
  readonly list: boolean
  /** Requests at once that such servers put up with, unless the caller says otherwise. Default: what the caller says. */
  readonly connections?: number | undefined
  /** Bytes that a part should have at least, where memory allows, because each request is costly. Default: no wish. */
  readonly partBytes?: number | undefined
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
  /** Where the source is an HTTP server: what it said, secrets and all. */
  readonly head?: AnswerHead | undefined
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

/** What is asked of a source: a range, and the version that it must be of. */
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

/** One name of a listing. */
export interface Listed {
  /** Opens it wherever a URI is taken; no character of it is a wildcard. */
  readonly uri: string
  /** Relative to what is listed, `/`-separated, as the source says it: an outside name. A directory's ends with `/`. */
  readonly path: string
  /** Bytes. */
  readonly size?: number | undefined
  /** Milliseconds since 1970. */
  readonly lastModified?: number | undefined
  readonly etag?: EntityTag | undefined
  readonly version?: string | undefined
  readonly checksums?: readonly OfferedChecksum[] | undefined
  /** Why it cannot be fetched as it is, in words, e.g. `it is archived (GLACIER)`. */
  readonly unavailable?: string | undefined
}

/** What is asked of a source that lists. */
export interface ListRequest {
  /** False: one level, directories named. True: files at every depth, directories not named. */
  readonly isRecursive: boolean
  /** Only paths that begin with it are wanted; a source may give others too. */
  readonly prefix?: string | undefined
  /** Whether anything below a directory (relative, ends with `/`) is wanted: lets a walk pass it by. Default: all. */
  readonly enters?: ((directory: string) => boolean) | undefined
  readonly signal: AbortSignal
}

/** Where the bytes of one resource are read. */
export interface Source {
  /** For people and logs: user-info and signatures replaced. */
  readonly uri: string
  /** Limits are kept per origin, e.g. `https://host:443`. */
  readonly origin: string
  readonly capabilities: SourceCapabilities
  /** Learns about the resource without taking its body. */
  probe(options: { signal: AbortSignal }): Promise<Resource>
  fetch(request: FetchRequest): Promise<void>
  /** What lies below, in batches as they come, none empty. */
  list?(request: ListRequest): AsyncIterable<readonly Listed[]>
  /**
   * What came from here was proven to be wrong. True: whoever opens the same URI next will be given it from elsewhere, so
   * that asking again may help.
   */
  distrust?(): boolean
  /** Frees what belongs to this source alone; may be called twice. */
  close(): Promise<void>
}
