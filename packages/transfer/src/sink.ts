/**
 * A sink is where the bytes of one resource go. Contract; every implementation passes `test/sink-suite.ts`.
 *
 * Life: `open` once, `write` any number of times (concurrently when order is `any`), then exactly one of `commit` or
 * `abort`. Nothing that the sink makes is visible under its final name before `commit` resolves, and `commit` resolves
 * only when the result is durable (reliability A1, A2).
 */

import type { Verification } from './integrity/verification.ts'
import type { Range, Resource } from './resource.ts'
import type { Slot } from './slots.ts'

/** A run of bytes of the resource, in the memory where the source put it. */
export interface Chunk {
  readonly offset: number
  /** Valid until the last holder releases `slot`. */
  readonly bytes: Uint8Array
  readonly slot: Slot
}

export interface SinkCapabilities {
  /** `ascending`: chunks must be written gap-free from 0; the engine sequences them. */
  readonly order: 'any' | 'ascending'
}

/** What a sink already holds of this very resource, from an earlier run. */
export interface Held {
  readonly ranges: readonly Range[]
  /** Reads held bytes back (for digests that need them); undefined when `ranges` is empty. */
  read?(offset: number, into: Uint8Array): Promise<void>
}

export interface Sink<Result = unknown> {
  readonly capabilities: SinkCapabilities
  /** The resource is known; nothing was written yet. Says what need not be fetched again. */
  open(resource: Resource): Promise<Held>
  /** Resolves when the sink is done with the chunk's memory, or holds the slot itself. */
  write(chunk: Chunk): Promise<void>
  /** Everything arrived and was verified: make it final and durable. */
  commit(verification: Verification): Promise<Result>
  /** Ends without a result. Keeps resumable state when `reason` allows it, else removes all traces. */
  abort(reason: unknown): Promise<void>
}
