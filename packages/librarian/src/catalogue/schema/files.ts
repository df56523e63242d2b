/** Files, the places that hold them, their copies here, and what reading those copies has proven. */
import type { Instant } from '@arriero/api'
import type { Generated } from 'kysely'
import type { Bit, CopyState, DeletionPolicy, FileKind } from './values.ts'

export interface FileTables {
  file: FileTable
  tree: TreeTable
  store: StoreTable
  instance: InstanceTable
  proof: ProofTable
}

/** An immutable named object. */
export interface FileTable {
  name: string
  create_time: Instant
  /** Bytes; for a tree, the sum over its members. */
  size: number
  /** As the sender gave it, unchanged: `xxh3:::…`, or a bare md5 of old (librarian 6). */
  checksum: string
  /** Hex; of the bytes, or of a tree's canonical manifest (reliability 1). Null: never computed. */
  sha256: string | null
  kind: FileKind
  /** 1 where the sender's digest was compared with what arrived; 0 where the digest is first ours. */
  is_attested: Bit
  uploader: string
  source: string
  /** Who uploaded it first, where a clone would lose that (librarian Q11). */
  first_uploader: string | null
}

/** The canonical manifest of a tree: its members, so that each can be found and proven. */
export interface TreeTable {
  file_name: string
  /** Lines of JSON, sorted by path: `{"path","type","size","sha256"}`; its SHA-256 is `file.sha256`. */
  manifest: string
}

export interface StoreTable {
  id: Generated<number>
  name: string
  ingestable: Bit
  enabled: Bit
  store_type: string
  /** JSON objects as in the settings (librarian 7.1, 8, 9). */
  store_data: string
  transfer_manager_data: string
  async_transfer_manager_data: string | null
  /** Of the marker file at the store's root (reliability B4). */
  uuid: string | null
}

/** One copy at a store of this site. */
export interface InstanceTable {
  id: Generated<number>
  /** As the wire shows it: absolute on local stores. */
  path: string
  file_name: string
  store_id: number
  deletion_policy: DeletionPolicy
  created_time: Instant
  available: Bit
  state: CopyState
  /** The checksum cache (librarian 6.5): valid only while `fingerprint` still is the file's. */
  calculated_checksum: string | null
  calculated_size: number | null
  checksum_time: Instant | null
  /** Size, mtime and ctime in nanoseconds, inode: told by the store, compared as text. */
  fingerprint: string | null
  /** The manifest that took it out of use: by this its pages find the copies that were in use before (librarian 10.8). */
  withdrawn_by: string | null
}

/** A dated full read of a copy (reliability 1, C1). Rows are never changed. */
export interface ProofTable {
  id: Generated<number>
  instance_id: number
  file_name: string
  store_id: number
  time: Instant
  medium: 'medium' | 'cache' | 'peer-challenge' | 'commit'
  /** Who read it: the librarian's name, or a peer's. */
  by: string
  outcome: CopyState
  sha256: string | null
  size: number | null
}
