/** Disks that are carried between sites. */
import type { DiskState, Instant } from '@arriero/api'

export interface DiskTables {
  disk: DiskTable
  disk_item: DiskItemTable
}

/** A disk that is carried (reliability G4). */
export interface DiskTable {
  /** UUID, also on the disk itself. */
  id: string
  /** `out`: packed here · `in`: read here. */
  direction: 'out' | 'in'
  /** The other librarian's name. */
  peer: string
  label: string
  /** Of a disk that went out, `reading` and `read` are what the other librarian has told. */
  state: DiskState
  created: Instant
  changed: Instant
  files: number
  bytes: number
  /** SHA-256 of the bag's tag manifest, in hex; null before it is packed. */
  digest: string | null
  /** What was signed of it, word for word: its nonce is not taken again with other words. */
  statement: string | null
}

/** A file on a carried disk. */
export interface DiskItemTable {
  disk_id: string
  file_name: string
  /** Number of the outgoing transfer at the librarian that packed it. */
  transfer_id: number | null
  /** The copy that it was packed from; null of a disk that came. */
  instance_id: number | null
  /** Of a disk that came; one that went out knows it from the transfers. */
  state: 'pending' | 'done' | 'exists' | 'failed'
  reason: string | null
}
