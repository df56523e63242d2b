/** Copies that go, and those that must stay meanwhile. */
import type { Instant } from '@arriero/api'
import type { Bit, DeletionPolicy } from './values.ts'

export interface DeletionTables {
  trash: TrashTable
  leaving: LeavingTable
  destruction: DestructionTable
  hold: HoldTable
}

/** Bytes on their way out: in the store's trash until purged (reliability B2, 8.12). */
export interface TrashTable {
  id: string
  /** `deleting` until the bytes are in the trash; `kept` where that was given up and they stayed. */
  state: 'deleting' | 'trashed' | 'restoring' | 'restored' | 'purging' | 'purged' | 'kept'
  /** Who works on it while it is `deleting`, `restoring` or `purging`: a process's id. */
  holder: string
  instance_id: number
  file_name: string
  store_id: number
  path: string
  deletion_policy: DeletionPolicy
  /** What the copy was before, and is again where it stays or comes back. */
  available: Bit
  withdrawn_by: string | null
  /** Who wanted it gone. */
  actor: string
  reason: string
  /** JSON: the copies that were read, and what was found. */
  proofs: string
  trashed: Instant
  purged: Instant | null
  /** Of the line in the trail of what is under way, or was last (`trail-order.ts`). */
  trail_order: number
  /** Of the destruction by which it went; null: by a deletion. */
  destruction: string | null
}

/** All copies of a file are to go, good ones too, since two administrators want it (reliability B8). */
export interface DestructionTable {
  /** 128 random bits in hex. */
  id: string
  file_name: string
  reason: string
  /** `undone` as soon as one of its copies is brought back: what is left in the trash is then purged like all else. */
  state: 'proposed' | 'confirmed' | 'undone'
  proposed_by: string
  proposed: Instant
  /** Never who proposed it. */
  confirmed_by: string | null
  confirmed: Instant | null
}

/**
 * A copy for whose deletion proofs are being sought now: one of a file at a time, and whoever asks for a proof of it is told that
 * it goes. It is here before anybody is asked, so of two sites that would rely on each other at least one learns it (B6).
 */
export interface LeavingTable {
  instance_id: number
  file_name: string
  /** The deletion's: 128 random bits in hex. */
  id: string
  /** Who seeks the proofs: a process's id. */
  holder: string
}

/** A copy that must stay for a while, because somebody is deleting another one and counts on it (reliability B6). */
export interface HoldTable {
  /** 128 random bits in hex. */
  id: string
  instance_id: number
  file_name: string
  /** Who counts on it: this librarian's own gate, or another librarian. */
  holder: string
  /** By the database's clock. */
  expires: Instant
}
