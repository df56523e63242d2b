/** What an upstream knows of a downstream whose database was lost (librarian 15). */
import type { Instant } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import { read } from '../operation.ts'
import type { TransferStatus } from '../schema.ts'
import { originalUploader } from './original-uploader.ts'

export interface DownstreamCopy {
  /** Row here, for the next page. */
  readonly id: number
  readonly name: string
  /** The store's number there. */
  readonly store_id: number
  readonly copy_time: Instant
  readonly size: number
  readonly checksum: string
  readonly uploader: string
}

export interface DownstreamTransfer {
  readonly id: number
  /** Its number there. */
  readonly remote_transfer_id: number
  readonly status: TransferStatus
  readonly transfer_size: number
  readonly transfer_checksum: string
  readonly transfer_manager_name: string | null
  readonly start_time: Instant
  readonly file_name: string
  readonly uploader: string
  /** Absolute, at the downstream. */
  readonly dest_path: string
}

export interface DownstreamPage {
  readonly librarian: string
  /** Newer than so many seconds, by the database's clock. */
  readonly seconds: number
  readonly after: number
  readonly limit: number
}

export const downstream = {
  /** Copies that it told us of, by number. @throws LibrarianError `UnknownLibrarian` */
  copies: read<DownstreamPage, DownstreamCopy[]>(async ({ sql, dialect }, { librarian, seconds, after, limit }) => {
    const peer = await sql.selectFrom('peer').select('id').where('name', '=', librarian).executeTakeFirst()
    if (!peer) throw new LibrarianError('UnknownLibrarian', `Cannot tell of ${librarian}: there is no such librarian`)
    return await sql
      .selectFrom('remote_instance')
      .innerJoin('file', 'file.name', 'remote_instance.file_name')
      .select(['remote_instance.id', 'file.name', 'remote_instance.store_id', 'remote_instance.copy_time'])
      .select(['file.size', 'file.checksum', originalUploader])
      .where('remote_instance.librarian_id', '=', peer.id)
      .where('remote_instance.copy_time', '>=', dialect.nowPlus(-seconds))
      .where('remote_instance.id', '>', after)
      .orderBy('remote_instance.id')
      .limit(limit)
      .execute()
  }),

  /** What is on its way to it, by number. */
  transfers: read<DownstreamPage, DownstreamTransfer[]>(
    async ({ sql, dialect }, { librarian, seconds, after, limit }) => {
      const rows = await sql
        .selectFrom('outgoing_transfer')
        .innerJoin('file', 'file.name', 'outgoing_transfer.file_name')
        .select(['outgoing_transfer.id', 'remote_transfer_id', 'status', 'transfer_size', 'transfer_checksum'])
        .select(['transfer_manager_name', 'start_time', 'file.name as file_name', originalUploader, 'dest_path'])
        .where('destination', '=', librarian)
        .where('status', 'in', ['INITIATED', 'ONGOING', 'STAGED'])
        .where('start_time', '>=', dialect.nowPlus(-seconds))
        .where('outgoing_transfer.id', '>', after)
        .orderBy('outgoing_transfer.id')
        .limit(limit)
        .execute()
      return rows.flatMap(({ remote_transfer_id, dest_path, ...row }) =>
        // Of one without a number there, or without a place, it has nothing.
        remote_transfer_id === null || dest_path === null ? [] : [{ ...row, remote_transfer_id, dest_path }],
      )
    },
  ),
}
