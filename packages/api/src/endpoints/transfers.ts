/** Ours: what is on its way into this librarian. Callers below ADMIN see their own. */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { instantWindow, integer, maxResults, naive, optional, path, text } from '../values/lax.ts'
import { transferStatus } from '../values/transfer-status.ts'

const transfer = z.object({
  transfer_id: z.int(),
  status: transferStatus.told,
  uploader: z.string(),
  /** The user of an upload; the sending librarian of a clone. */
  source: z.string(),
  upload_name: z.string(),
  /** The future file’s name. */
  destination_location: z.string(),
  transfer_size: z.int(),
  transfer_checksum: z.string(),
  /** Null before a store was chosen. */
  store_name: z.string().nullable(),
  transfer_provider_name: z.string().nullable(),
  start_time: naive,
  end_time: naive.nullable(),
  /** Number of the transfer at the librarian that sends it. */
  source_transfer_id: z.int().nullable(),
  /** Why it failed. */
  reason: z.string().nullable(),
})

const outgoing = z.object({
  transfer_id: z.int(),
  status: transferStatus.told,
  /** The librarian that it is sent to. */
  destination: z.string(),
  /** Null of transfers of old. */
  file_name: z.string().nullable(),
  transfer_size: z.int(),
  transfer_checksum: z.string(),
  /** Null before a way was chosen. */
  transfer_provider_name: z.string().nullable(),
  start_time: naive,
  end_time: naive.nullable(),
  /** Number of the transfer at the receiver; null before it has taken it. */
  remote_transfer_id: z.int().nullable(),
  /** Number of the batch in which it is sent. */
  send_queue_id: z.int().nullable(),
  /** Why it failed. */
  reason: z.string().nullable(),
})

export const transfers = {
  list: endpoint({
    path: 'transfers/list',
    level: 'READAPPEND',
    summary: 'List incoming transfers, newest first. All conditions must hold.',
    request: z.object({
      /** One of these. */
      statuses: optional(z.array(transferStatus.asked).max(6)),
      uploader: optional(text),
      source: optional(text),
      destination_location: optional(path),
      start_time_window: optional(instantWindow),
      /** The last transfer of the page before; the next page has smaller numbers. */
      after: optional(integer),
      max_results: maxResults,
    }),
    answer: z.object({
      transfers: z.array(transfer),
      /** For `after` of the next page; null: there is none. */
      next: z.int().nullable(),
    }),
    mutates: false,
    isOurs: true,
  }),
  outgoing: endpoint({
    path: 'transfers/outgoing',
    level: 'ADMIN',
    summary: 'List transfers to other librarians, newest first. All conditions must hold.',
    request: z.object({
      /** One of these. */
      statuses: optional(z.array(transferStatus.asked).max(6)),
      destination: optional(text),
      file_name: optional(text),
      start_time_window: optional(instantWindow),
      /** The last transfer of the page before; the next page has smaller numbers. */
      after: optional(integer),
      max_results: maxResults,
    }),
    answer: z.object({
      transfers: z.array(outgoing),
      /** For `after` of the next page; null: there is none. */
      next: z.int().nullable(),
    }),
    mutates: false,
    isOurs: true,
  }),
  get: endpoint({
    path: 'transfers/get',
    level: 'READAPPEND',
    summary: 'Look an incoming transfer up.',
    request: z.object({ transfer_id: integer }),
    answer: transfer,
    mutates: false,
    isOurs: true,
  }),
}
