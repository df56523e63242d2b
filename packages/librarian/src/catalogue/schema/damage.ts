/** Copies that were found bad, and their repair. */
import type { Instant } from '@arriero/api'
import type { Generated } from 'kysely'
import type { Bit, CopyState } from './values.ts'

export interface DamageTables {
  corrupt_file: CorruptFileTable
  repair: RepairTable
}

export interface CorruptFileTable {
  id: Generated<number>
  file_name: string
  file_source: string
  instance_id: number
  instance_path: string
  corrupt_time: Instant
  size: number
  checksum: string
  count: number
  replacement_requested: Bit
  incoming_transfer_id: number | null
}

/** A bad copy that is replaced by a good one, and what became of its bytes (reliability B5). Rows are never removed. */
export interface RepairTable {
  /** 128 random bits in hex: of the private copy, the spool, and the quarantine. */
  id: string
  state: 'begun' | 'replacing' | 'done' | 'failed' | 'purging' | 'purged'
  /** Who works on it: a process's id. */
  holder: string
  instance_id: number
  file_name: string
  store_id: number
  path: string
  /** What the reading before it had found. */
  found: CopyState
  /** Where the good bytes came from: `store …` or `librarian …`; null until they are verified. */
  source: string | null
  /** Hex, of the good bytes as they were verified; null until then. */
  sha256: string | null
  actor: string
  started: Instant
  /** Since then the bad bytes are in the quarantine; of a repair that failed, when it was given up. */
  ended: Instant | null
}
