/** Other librarians: what they hold and have shown, and what they have yet to be told. */
import type { Instant } from '@arriero/api'
import type { Generated } from 'kysely'
import type { Bit, CopyState } from './values.ts'

export interface PeerTables {
  peer: PeerTable
  remote_instance: RemoteInstanceTable
  remote_proof: RemoteProofTable
  message: MessageTable
}

/** Another librarian. */
export interface PeerTable {
  id: Generated<number>
  name: string
  url: string
  port: number
  /** Fernet token of `user:password` (librarian 5.4). */
  authenticator: string
  transfers_enabled: Bit
  last_seen: Instant
  last_heard: Instant
  /** With which it signs disks, Ed25519 in base64: pinned when it was first told, or by an administrator. */
  signing_key: string | null
  /** Since when it refuses our account; null: it does not. */
  refused_since: Instant | null
}

/** A copy that another librarian is known to hold. */
export interface RemoteInstanceTable {
  id: Generated<number>
  file_name: string
  /** The store's number there. */
  store_id: number
  librarian_id: number
  copy_time: Instant
  sender: string
}

/** What another librarian has shown of its copy (reliability E5). Rows are never changed. */
export interface RemoteProofTable {
  id: Generated<number>
  file_name: string
  librarian_id: number
  /** The store's number there. */
  store_id: number
  time: Instant
  /** `peer-challenge`: it answered to a nonce of ours, and we hold the bytes · `claim`: its word. */
  medium: 'peer-challenge' | 'claim'
  outcome: CopyState
}

/**
 * A call to another librarian that must be made sooner or later: written in the transaction that makes it necessary, made at
 * least once, gone when it was answered (reliability 8.14).
 */
export interface MessageTable {
  id: Generated<number>
  /** The other librarian's name. */
  peer: string
  /** Which call: a path of the wire, as `clone/complete`. */
  call: string
  /** JSON: the request's body. */
  body: string
  /** The same with every repetition (reliability E1). */
  idempotency_key: string
  created: Instant
  attempts: number
  /** Not before this time, by the database's clock. */
  next_try: Instant
  /** What the last attempt met. */
  reason: string | null
}
