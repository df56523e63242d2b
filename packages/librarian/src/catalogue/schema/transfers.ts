/** Bytes on their way in, out, and from store to store. */
import type { Instant } from '@arriero/api'
import type { Generated } from 'kysely'
import type { Bit, DeletionPolicy, TransferStatus } from './values.ts'

export interface TransferTables {
  incoming_transfer: IncomingTransferTable
  send_item: SendItemTable
  outgoing_transfer: OutgoingTransferTable
  clone_transfer: CloneTransferTable
  completed_transfer: CompletedTransferTable
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
