/**
 * The deletion gate: the one way by which a copy's bytes leave their name, and this machine (reliability B1–B4, B6, B7, 8.12).
 *
 *   read        every other copy of the file at this site that is on another device, in full, now
 *   demand      as many good ones as the floor says, and not a single bad one among them
 *   tx 1        the copy is going; the proofs are still there; the brake allows it
 *   trash       its bytes move into the store's trash, on the same filesystem
 *   trail       a line in the store's manifest
 *   tx 2        its row goes; the trash's row stays, and the audit has who, why, and by which proofs
 *   (days)      until here it can be restored
 *   purge       all of the above from `read` on, for the trash; then its bytes go for ever
 *
 * It fails closed: what cannot be asked, read or written keeps the copy. Killed in between, `recover` looks where the bytes
 * are, and goes on or takes it back. What it refuses is in the audit too; where the brake refused, an alarm is raised, and
 * nothing more goes from that store until a person has cleared it. Copies at other librarians count as nothing here.
 */
import type { CopyState } from '../../catalogue/schema.ts'
import { createGround, type DeletionGateOptions } from './ground.ts'
import { purgeDue } from './purge-trash.ts'
import { recoverDeletions } from './recover-deletions.ts'
import { removeCopy } from './remove-copy.ts'
import { restoreCopy } from './restore-copy.ts'

export type { DeletionGateOptions } from './ground.ts'

export interface DeletionRequest {
  readonly instanceId: number
  /** Who wants it gone: a user, or `task:` and its name. */
  readonly actor: string
  /** Recorded with the trash and in the audit. */
  readonly reason: string
  /** Through which call of the wire, for the audit. */
  readonly call?: string | undefined
  /** Good copies that must remain. Default: the gate's; least 1. */
  readonly floor?: number
}

export interface Deletion {
  /** Of the trash. */
  readonly id: string
  readonly fileName: string
  readonly proofInstanceIds: readonly number[]
}

export interface RestoreRequest {
  /** Of the trash. */
  readonly id: string
  readonly actor: string
  readonly call?: string | undefined
}

export interface Restoration {
  readonly fileName: string
  /** As before. */
  readonly instanceId: number
  /** As the full reading after it has found the copy. */
  readonly state: CopyState
}

export interface PurgeReport {
  readonly purged: number
  /** Due, and kept: for want of good copies, or because their store is not there. */
  readonly kept: number
}

export interface DeletionGate {
  /** @throws LibrarianError `NotFound`, `KeepsLastCopy`, `StoreUnavailable`, `Busy`, `TooMany`: then the copy is as before */
  remove(request: DeletionRequest): Promise<Deletion>
  /** @throws LibrarianError `NotFound`, `Conflict`, `FileExists`, `StoreUnavailable`: then it is in the trash as before */
  restore(request: RestoreRequest): Promise<Restoration>
  /** Purges what has been in the trash long enough, oldest first, until the signal. */
  purgeDue(options?: { signal?: AbortSignal }): Promise<PurgeReport>
  /** Goes on with, or takes back, what was interrupted. What cannot be looked at is left. */
  recover(): Promise<void>
}

export function createDeletionGate(options: DeletionGateOptions): DeletionGate {
  const ground = createGround(options)
  return {
    remove: request => removeCopy(request, ground),
    restore: request => restoreCopy(request, ground),
    purgeDue: ({ signal } = {}) => purgeDue(ground, signal),
    recover: () => recoverDeletions(ground),
  }
}
