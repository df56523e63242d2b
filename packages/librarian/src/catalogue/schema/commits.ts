/** How a file becomes known, or a clone becomes a copy. */
import type { Instant } from '@arriero/api'
import type { Bit, DeletionPolicy, FileKind } from './values.ts'

export interface CommitTables {
  intent: IntentTable
  finished_work: FinishedWorkTable
}

/**
 * A commit that is under way (reliability 8.11). Its row also reserves the name: no two live intents share one. It holds all
 * that recovery needs, so that a commit can be finished by a process that knows nothing else of it.
 */
export interface IntentTable {
  /** Work id: 128 random bits in hex; part of the temporary's name. */
  id: string
  /** Fencing token; rises when recovery or another process takes the intent over. */
  token: number
  file_name: string
  store_id: number
  /** JSON of where the bytes come from: staging, spool, or the place itself. */
  origin: string
  /** Null until the bytes are verified. */
  kind: FileKind | null
  size: number
  /** The sender's; null for an upload that is unattested, until ours is computed. */
  checksum: string | null
  is_attested: Bit
  /** Hex of what was prepared; null until the bytes are verified. */
  sha256: string | null
  /** Of a tree that was prepared. */
  manifest: string | null
  /** The token under which the private copy was made: it is in that copy's name. */
  prepared_token: number | null
  incoming_transfer_id: number | null
  transfer_manager_name: string | null
  deletion_policy: DeletionPolicy
  uploader: string
  source: string
  first_uploader: string | null
  /** Of the file, when it is there. */
  create_time: Instant
  started: Instant
  /** Who works on it: a process's id. */
  holder: string
  /** JSON of the entry that the audit has with the file; null: it is no privileged act (reliability F4). */
  act: string | null
  /** Of its line in the trail (`trail-order.ts`). */
  trail_order: number
  /** It makes another copy of a file that is known: of this clone transfer. Null: it makes a file known. */
  clone_transfer_id: number | null
}

/** Works that have ended, until their private copies are gone: the sweep removes nothing that is not here (reliability 7.7). */
export interface FinishedWorkTable {
  id: string
  time: Instant
}
