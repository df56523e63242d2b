/**
 * A sink is where the bytes of one resource go. Contract; every implementation passes `test/sink-suite.ts`.
 *
 * Life: `prepare` at most once and first, `open` once, `write` any number of times (concurrently when order is `any`),
 * then exactly one of `commit` or `abort`; `abort` may also come at any earlier moment. Nothing that the sink makes is
 * visible under its final name before `commit` resolves, and `commit` resolves only when the result is durable
 * (reliability A1, A2).
 *
 * `open` and `write` return undefined when they are done at once: ten thousand small files must not pay for promises.
 */
import type { Verification } from './integrity/verification.ts'
import type { Range, Resource } from './resource.ts'
import type { Slot } from './slots.ts'

/** A run of bytes of the resource, in the memory where the source put it. */
export interface Chunk {
  readonly offset: number
  /** Valid until `write` is done; longer only for who retains `slot` (never in order `ascending`). */
  readonly bytes: Uint8Array
  readonly slot: Slot
}

export interface SinkCapabilities {
  /** `ascending`: chunks must be written gap-free from the first wanted byte on; the engine sequences them. */
  readonly order: 'any' | 'ascending'
  /** What was written has been seen by somebody else: a fetch that goes wrong must not begin anew. Default false. */
  readonly isSeen?: boolean | undefined
}

/** What an earlier run left of this target. Trusted only if the source proves that it is the same version. */
export interface Earlier {
  readonly resource: Resource
  /** Verified against what was recorded when they were written. */
  readonly ranges: readonly Range[]
  /** Why `resource`, as the source has it now, must not be continued with; undefined when it may. */
  whyNot(now: Resource): string | undefined
}

/** Where the bytes of one resource go. */
export interface Sink<Result = unknown> {
  readonly capabilities: SinkCapabilities
  /** Looks for what an earlier run left. Rejects with Locked when another process is at it. */
  prepare(): Promise<Earlier | undefined>
  /** The resource is known; nothing was written yet. Unless `isResumed`, whatever `prepare` found is discarded. */
  open(resource: Resource, options: { readonly isResumed: boolean }): Promise<void> | undefined
  write(chunk: Chunk): Promise<void> | undefined
  /**
   * Takes what landed although the transfer failed, if a later run may go on with it: runs of any length, in any order,
   * between the last `write` and `abort`.
   */
  keep?(chunk: Chunk): Promise<void> | undefined
  /** Reads back what was written or left by an earlier run; only where `capabilities` say so. */
  readBack?(offset: number, into: Uint8Array): Promise<void>
  /** Everything arrived and was verified: make it final and durable. */
  commit(verification: Verification): Promise<Result>
  /** Ends without a result. Keeps resumable state when `reason` allows it, else removes all traces. */
  abort(reason: unknown): Promise<void>
}
