/** Rows of a Python librarian's tables, and what becomes of each here (librarian 3). */
import { type Level, levelNames } from '@arriero/api'
import type { Insertable } from 'kysely'
import type { Schema, TransferStatus } from '../../catalogue/schema.ts'
import type { RowOf } from '../../legacy/installation.ts'
import { type PlainValue, readPickle } from '../../legacy/read-pickle.ts'

export const storeColumns = {
  id: 'integer',
  name: 'text',
  ingestable: 'flag',
  enabled: 'flag',
  store_type: 'integer',
  store_data: 'pickle',
  transfer_manager_data: 'pickle',
  async_transfer_manager_data: 'maybe-pickle',
} as const

export function storeOf(row: RowOf<typeof storeColumns>): Insertable<Schema['store']> {
  const { id, name, async_transfer_manager_data: asynchronous } = row
  return {
    id,
    name,
    ingestable: row.ingestable ? 1 : 0,
    enabled: row.enabled ? 1 : 0,
    // `core` is abstract: every store that was ever used is local.
    store_type: 'local',
    store_data: JSON.stringify({ ...dictOf(row.store_data, `store_data of ${name}`), name }),
    transfer_manager_data: JSON.stringify(dictOf(row.transfer_manager_data, `transfer_manager_data of ${name}`)),
    async_transfer_manager_data:
      asynchronous === null ? null : JSON.stringify(dictOf(asynchronous, `async_transfer_manager_data of ${name}`)),
    uuid: null,
  }
}

function dictOf(bytes: Uint8Array, what: string): Readonly<Record<string, PlainValue>> {
  const value = readPickle(bytes)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, PlainValue>
  throw new TypeError(`${what} must be a dict`)
}

export const userColumns = { username: 'text', auth_token: 'text', auth_level: 'text' } as const

/** Undefined: a level that nobody knows opens nothing. */
export function accountOf(row: RowOf<typeof userColumns>): Insertable<Schema['account']> | undefined {
  return levelNames.includes(row.auth_level as Level) ? { ...row, version: 1 } : undefined
}

export const librarianColumns = {
  id: 'integer',
  name: 'text',
  url: 'text',
  port: 'integer',
  authenticator: 'text',
  transfers_enabled: 'maybe-flag',
  last_seen: 'time',
  last_heard: 'time',
} as const

export function peerOf(row: RowOf<typeof librarianColumns>): Insertable<Schema['peer']> {
  return { ...row, url: row.url.replace(/\/+$/, ''), transfers_enabled: row.transfers_enabled === false ? 0 : 1 }
}

export const fileColumns = {
  name: 'text',
  create_time: 'time',
  size: 'integer',
  checksum: 'text',
  uploader: 'text',
  source: 'text',
} as const

export const instanceColumns = {
  id: 'integer',
  path: 'text',
  file_name: 'text',
  store_id: 'integer',
  deletion_policy: 'text',
  created_time: 'time',
  available: 'flag',
} as const

export const remoteInstanceColumns = {
  id: 'integer',
  file_name: 'text',
  store_id: 'integer',
  librarian_id: 'integer',
  copy_time: 'time',
  sender: 'text',
} as const

const transferColumns = { id: 'integer', status: 'text', start_time: 'time', end_time: 'maybe-time' } as const

export const incomingColumns = {
  ...transferColumns,
  uploader: 'text',
  upload_name: 'text',
  source: 'text',
  transfer_size: 'integer',
  transfer_checksum: 'text',
  store_id: 'maybe-integer',
  transfer_manager_name: 'maybe-text',
  staging_path: 'maybe-text',
  store_path: 'maybe-text',
  source_transfer_id: 'maybe-integer',
} as const

export function incomingOf(
  row: RowOf<typeof incomingColumns>,
  { token }: { readonly token: string },
): Insertable<Schema['incoming_transfer']> {
  const { store_path, upload_name, ...rest } = row
  return {
    ...rest,
    ...endOf(row),
    upload_name,
    // Of one that never got a place.
    store_path: store_path ?? upload_name,
    active_time: null,
    transfer_data: null,
    deletion_policy: 'DISALLOWED',
    first_uploader: null,
    token,
  }
}

export const outgoingColumns = {
  ...transferColumns,
  destination: 'text',
  transfer_size: 'integer',
  transfer_checksum: 'text',
  file_name: 'maybe-text',
  instance_id: 'integer',
  remote_transfer_id: 'maybe-integer',
  source_path: 'maybe-text',
  dest_path: 'maybe-text',
} as const

/** Of what is on a carried disk the receiver will still tell (librarian 11.7). */
export function isCarried(row: RowOf<typeof outgoingColumns>): boolean {
  return row.status === 'ONGOING' && row.remote_transfer_id === null
}

export function outgoingOf(row: RowOf<typeof outgoingColumns>): Insertable<Schema['outgoing_transfer']> {
  const state = isCarried(row) ? { status: 'ONGOING' as const, end_time: null, reason: null } : endOf(row)
  return { ...row, ...state, transfer_manager_name: null, transfer_data: null, send_queue_id: null }
}

export const cloneColumns = {
  ...transferColumns,
  source_store_id: 'integer',
  destination_store_id: 'integer',
  transfer_manager_name: 'maybe-text',
  source_instance_id: 'integer',
  destination_instance_id: 'maybe-integer',
} as const

export function cloneOf(row: RowOf<typeof cloneColumns>): Insertable<Schema['clone_transfer']> {
  return { ...row, ...endOf(row) }
}

const openStates: readonly string[] = ['INITIATED', 'ONGOING', 'STAGED'] satisfies TransferStatus[]

export function isOpen({ status }: { readonly status: string }): boolean {
  return openStates.includes(status)
}

/** Nobody goes on with one that was open: the other side finds out when it asks (librarian 11.6). */
function endOf(row: RowOf<typeof transferColumns>) {
  if (!isOpen(row)) return { status: row.status as TransferStatus, end_time: row.end_time, reason: null }
  return { status: 'FAILED' as const, end_time: row.start_time, reason: 'it was open when this librarian took over' }
}

export const errorColumns = {
  id: 'integer',
  severity: 'text',
  category: 'text',
  message: 'text',
  raised_time: 'time',
  cleared_time: 'maybe-time',
  cleared: 'flag',
  caller: 'maybe-text',
} as const

export function errorOf(row: RowOf<typeof errorColumns>): Insertable<Schema['error']> {
  return { ...row, cleared: row.cleared ? 1 : 0 }
}

export const corruptColumns = {
  id: 'integer',
  file_name: 'text',
  file_source: 'text',
  instance_id: 'integer',
  instance_path: 'text',
  corrupt_time: 'time',
  size: 'integer',
  checksum: 'text',
  count: 'integer',
} as const

/** A replacement that was asked for is asked for again: the transfer that would bring it has ended. */
export function corruptOf(row: RowOf<typeof corruptColumns>): Insertable<Schema['corrupt_file']> {
  return { ...row, replacement_requested: 0, incoming_transfer_id: null }
}
