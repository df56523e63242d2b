import type { EngineParts } from '../engine.ts'
import type { FileHooks } from '../hooks/file-hooks.ts'
import type { HookContext } from '../hooks.ts'
import type { FileProgress } from '../progress.ts'
import type { Range, Resource } from '../resource.ts'
import type { Chunk } from '../sink.ts'
import type { Places } from './places.ts'

export interface MoveOptions {
  readonly engine: EngineParts
  readonly places: Places
  /** What an earlier run knew of the resource: the answer must agree, or the move fails with ResourceChanged. */
  readonly expected: Resource | undefined
  /** Stated size, if any: sizes the first slot. */
  readonly size: number | undefined
  /** Only these bytes are wanted. */
  readonly range: Range | undefined
  /** Not to be fetched again; only with `expected`. */
  readonly held: readonly Range[]
  readonly order: 'any' | 'ascending'
  /** Bytes that may be under way beyond the first one not consumed; undefined: as many as the memory allows. */
  readonly window: number | undefined
  /** Bytes; undefined: adaptive. */
  readonly partSize: number | undefined
  /** Most connections for this resource. */
  readonly connections: number
  /** Attempts for a part that makes no progress. */
  readonly retries: number | undefined
  readonly maxRetryAfterMs: number
  /** Bytes per second. */
  readonly lowSpeedLimit: number
  readonly hooks: FileHooks | undefined
  readonly hookContext: HookContext
  readonly signal: AbortSignal
  readonly file: FileProgress
  /** The first answer's head; called once, before any byte lands. A throw ends the move. */
  onResource(resource: Resource): void
  /** Takes a chunk; its slot is given up when this resolves. After `onFailed`: what landed and nobody will complete. */
  consume(chunk: Chunk): Promise<void> | undefined
  /** The move is going to fail: chunks that wait for others must be let go, or it never ends. */
  onFailed(error: unknown): void
}

export interface Moved {
  readonly resource: Resource
  /** Where the wanted bytes ended. */
  readonly end: number
  /** That end was proven by the body's framing or a stated size. */
  readonly isLengthProven: boolean
  /** Bytes received, those fetched twice included. */
  readonly networkBytes: number
  readonly retries: number
}

/** A move under way. */
export interface Move {
  readonly moved: Promise<Moved>
  /** Ends it with this error. */
  stop(error: unknown): void
}
