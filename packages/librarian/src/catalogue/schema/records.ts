/** Who may call, and what is kept of calls and mishaps. */
import type { Instant } from '@arriero/api'
import type { Generated } from 'kysely'
import type { Bit } from './values.ts'

export interface RecordTables {
  account: AccountTable
  session: SessionTable
  idempotency: IdempotencyTable
  audit: AuditTable
  error: ErrorTable
}

/** A user of this librarian, a person or a peer's account. */
export interface AccountTable {
  username: string
  /** Argon2id in PHC form (librarian 5.3). */
  auth_token: string
  auth_level: string
  /** Rises with every change, so that cached checks of the old password end on all processes. */
  version: number
}

/** Somebody who is logged in to the dashboard. */
export interface SessionTable {
  /** SHA-256 of the cookie, in hex: who reads the catalogue cannot log in by it. */
  token_hash: string
  username: string
  /** Of the account when it began: whatever changes the account ends it. */
  version: number
  created: Instant
  /** To within some minutes. */
  last_used: Instant
}

export interface IdempotencyTable {
  actor: string
  key: string
  /** SHA-256 of method, path and body. */
  request: string
  created: Instant
  /** Who works on it: a process's id. */
  holder: string | null
  /** Null while the first call runs. */
  status: number | null
  body: string | null
}

/** Append-only, hash-chained (reliability F4). */
export interface AuditTable {
  id: Generated<number>
  time: Instant
  actor: string
  action: string
  subject: string
  /** JSON: why, which proofs, outcome. */
  detail: string
  previous: string
  hash: string
}

export interface ErrorTable {
  id: Generated<number>
  severity: string
  category: string
  message: string
  raised_time: Instant
  cleared_time: Instant | null
  cleared: Bit
  caller: string | null
}
