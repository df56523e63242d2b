/**
 * The tables of the catalogue. Names are singular; the views that people's own SQL reads have the plural names and the
 * columns of librarian 3 (`files`, `instances`, `store_metadata`, …), so that existing dashboards keep working.
 *
 * Times are instants (`Instant` of the wire package): text in UTC. Booleans are 0 or 1. States are the upper-case names of
 * librarian 2. Digests are write-once (reliability A7).
 */
import type { DiskState, Instant } from '@arriero/api'
import type { Generated } from 'kysely'

/** 0 or 1. */
export type Bit = 0 | 1

export type TransferStatus = 'INITIATED' | 'ONGOING' | 'STAGED' | 'COMPLETED' | 'FAILED' | 'CANCELLED'
export type DeletionPolicy = 'DISALLOWED' | 'ALLOWED'
export type FileKind = 'file' | 'tree'
/** What the last full read of a copy found (reliability C2). */
export type CopyState = 'ok' | 'mismatch' | 'missing' | 'unreadable' | 'unavailable' | 'never-checked'

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

/** Uploads, and clones that arrive. */
export interface IncomingTransferTable {
  id: Generated<number>
  status: TransferStatus
  /** For authorisation: the uploader as told, or the sending account for clones. */
  uploader: string
  upload_name: string
  /** The authenticated user for uploads; the sending librarian for clones. */
  source: string
  transfer_size: number
  transfer_checksum: string
  store_id: number | null
  transfer_manager_name: string | null
  start_time: Instant
  end_time: Instant | null
  /** Name of the staging directory, a UUID. */
  staging_path: string | null
  /** The future file's name: reserved from the start. */
  store_path: string
  /** When bytes last came over HTTP, to within some minutes. */
  active_time: Instant | null
  transfer_data: string | null
  /** Of a clone: its number at the sender. Negative: the sender has none. Null: an upload. */
  source_transfer_id: number | null
  deletion_policy: DeletionPolicy
  first_uploader: string | null
  /** Of a clone that its sender was asked for again: the bad copy whose place it takes (librarian 11.9). */
  replaces_instance_id: number | null
  /** What its owner sees in URLs: 128 random bits in hex (reliability 6). */
  token: string
  /** Why it failed. */
  reason: string | null
}

export interface OutgoingTransferTable {
  id: Generated<number>
  status: TransferStatus
  destination: string
  transfer_size: number
  transfer_checksum: string
  start_time: Instant
  end_time: Instant | null
  file_name: string | null
  instance_id: number
  remote_transfer_id: number | null
  transfer_manager_name: string | null
  transfer_data: string | null
  send_queue_id: number | null
  source_path: string | null
  dest_path: string | null
  /** Why it failed. */
  reason: string | null
}

export interface CloneTransferTable {
  id: Generated<number>
  status: TransferStatus
  start_time: Instant
  end_time: Instant | null
  source_store_id: number
  destination_store_id: number
  transfer_manager_name: string | null
  source_instance_id: number
  /** Set with the copy's row, in one transaction. */
  destination_instance_id: number | null
  /** Why it failed. */
  reason: string | null
  /** Null, as the two below, where another librarian's program made it. */
  file_name: string | null
  /** What the bytes arrive in at the destination. */
  spool: string | null
  /** Who works on it while it is open: a process's id. */
  holder: string | null
}

export interface SendItemTable {
  id: Generated<number>
  priority: number
  created_time: Instant
  retries: number
  destination: string
  /** Kind of the method that brings it. */
  method: string
  /** JSON: the method's state. */
  async_transfer_manager: string
  consumed: Bit
  consumed_time: Instant | null
  completed: Bit
  completed_time: Instant | null
  failed: Bit
  /** Not before this time, by the database's clock, after an attempt that failed. */
  next_try: Instant | null
  /** What the last attempt met. */
  reason: string | null
}

export interface CompletedTransferTable {
  id: number
  task_id: string
  source_endpoint_id: string
  destination_endpoint_id: string
  start_time: Instant
  end_time: Instant
  duration_seconds: number
  bytes_transferred: number
  effective_bandwidth_bps: number
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

/** Work that outlives a process: ingest now, more kinds with the task engine. */
export interface JobTable {
  /** 128 random bits in hex. */
  id: string
  kind: string
  owner: string
  status: 'queued' | 'running' | 'done' | 'failed' | 'cancelled'
  /** JSON, as the kind defines it; never a secret. */
  request: string
  created: Instant
  started: Instant | null
  ended: Instant | null
  /** Last words, where it failed. */
  reason: string | null
  total: number
  done: number
  failed: number
  bytes: number
}

export interface JobItemTable {
  id: Generated<number>
  job_id: string
  /** Place in the job's list, from 0. */
  position: number
  name: string
  status: 'pending' | 'done' | 'exists' | 'failed'
  attempts: number
  reason: string | null
  /** JSON of what to fetch; secrets are never in it. */
  entry: string
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

/** A recurring task of the settings: when it ran, what came of it, when it runs again. */
export interface TaskTable {
  /** `kind:` and a digest of its settings, so that an entry of the settings keeps its row as long as it says the same. */
  id: string
  kind: string
  /** As the settings call it. */
  name: string
  /** When it is to run again, for people: the engine's own row decides. Null: not before somebody asks for it. */
  next_run: Instant | null
  /** 128 random bits in hex of the run that has it; every write of that run names them. Null: none goes on. */
  run: string | null
  /** When that run last said that it goes on. One that was not heard of for long is nobody's. */
  heard: Instant | null
  /** Of the run that goes on, or else of the last one. */
  started: Instant | null
  /** Of the last run that ended. */
  ended: Instant | null
  outcome: 'done' | 'partial' | 'failed' | 'off' | 'interrupted' | null
  /** What came of the last run, for people. */
  note: string | null
  /** JSON of counts: of the run that goes on, or else of the last one. */
  counts: string
  /** JSON, the task's own: where the next run goes on. */
  cursor: string | null
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

/** A piece of work that somebody wants done, for the embedded task engine. What is done has no row. */
export interface PieceTable {
  queue: string
  key: string
  /** Not before this time. Null: whoever has it does all that is wanted. */
  due: Instant | null
  /** When it was last wanted. In the future: the clock was put back, and `due` cannot be believed. */
  wanted: Instant
  /** Greater goes first. */
  priority: number
  /** That failed, one after the other. */
  attempts: number
  /** 128 random bits in hex of the delivery that has it; every write of that delivery names them. Null: nobody has it. */
  claim: string | null
  /** Until then it is theirs, unless they renew. */
  expires: Instant | null
  /** Why the last attempt failed. */
  reason: string | null
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

/** Leases and single values: the catalogue's own UUID, the trail's heads. */
export interface LeaseTable {
  resource: string
  holder: string
  token: number
  expires: Instant
}

export interface SettingTable {
  key: string
  value: string
}

/** PostgreSQL only: transactions that have committed lately, so that a lost reply to COMMIT can be looked up (reliability 8.7). */
export interface OutcomeTable {
  /** 128 random bits in hex, made before the transaction. */
  id: string
  time: Instant
  /** 0: written by whoever looked it up and found nothing, so that it can never commit any more. */
  is_committed: Bit
}

/** All tables. */
export interface Schema {
  file: FileTable
  tree: TreeTable
  instance: InstanceTable
  proof: ProofTable
  remote_instance: RemoteInstanceTable
  store: StoreTable
  incoming_transfer: IncomingTransferTable
  outgoing_transfer: OutgoingTransferTable
  clone_transfer: CloneTransferTable
  send_item: SendItemTable
  completed_transfer: CompletedTransferTable
  peer: PeerTable
  account: AccountTable
  error: ErrorTable
  corrupt_file: CorruptFileTable
  intent: IntentTable
  finished_work: FinishedWorkTable
  idempotency: IdempotencyTable
  audit: AuditTable
  trash: TrashTable
  leaving: LeavingTable
  job: JobTable
  job_item: JobItemTable
  message: MessageTable
  task: TaskTable
  piece: PieceTable
  hold: HoldTable
  repair: RepairTable
  remote_proof: RemoteProofTable
  disk: DiskTable
  disk_item: DiskItemTable
  lease: LeaseTable
  setting: SettingTable
  outcome: OutcomeTable
}
