/** Ours: disks that are carried from one librarian to another (reliability G4). */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { boolean, instant, integer, maxResults, naive, optional, path, text } from '../values/lax.ts'
import { transferStatus } from '../values/transfer-status.ts'

/** Most files of one call. */
export const MAX_DISK_FILES = 1000

/** `reading` and `read`: at the far side. `given-up`: it is lost, and its files may go another way. */
export const diskStates = ['packing', 'packed', 'reading', 'read', 'given-up'] as const
/** How far a disk is. */
export type DiskState = (typeof diskStates)[number]

/**
 * What a librarian makes of a file on a disk that has come. `new`: it is to be handed over. `handed-over`: it is here and not
 * kept yet. `done`: kept, from this disk. `exists`: kept before. `failed`: it cannot be, and why.
 */
export const diskItemStates = ['new', 'handed-over', 'done', 'exists', 'failed'] as const
/** How far a file of a disk is. */
export type DiskItemState = (typeof diskItemStates)[number]

const diskId = text.regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID')
const digest = text.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')
const signed = { statement: text.max(1 << 20), signature: text.max(128) }

const disk = z.object({
  disk_id: z.string(),
  /** `out`: packed here. `in`: read here. */
  direction: z.enum(['out', 'in']),
  librarian_name: z.string(),
  label: z.string(),
  state: z.enum(diskStates),
  created_time: naive,
  changed_time: naive,
  files: z.int(),
  bytes: z.int(),
})

const counts = z.object({
  /** On the way: nothing was heard of the disk. */
  in_transit: z.int(),
  /** The disk is at the far side, and they are not kept there yet. */
  arrived: z.int(),
  /** Of a disk that went out: the far side has told that it keeps them. Of one that came: kept. */
  confirmed: z.int(),
  failed: z.int(),
})

const candidate = z.object({
  name: z.string(),
  kind: z.enum(['file', 'tree']),
  size: z.int(),
  /** As its sender gave it. */
  checksum: z.string(),
  /** Null: nobody has computed it yet. */
  sha256: z.string().nullable(),
  uploader: z.string(),
  create_time: naive,
  instance_id: z.int(),
  store_name: z.string(),
  instance_path: z.string(),
})

const receiptLine = z.object({
  name: z.string(),
  transfer_id: z.int(),
  store_id: z.int(),
  size: z.int(),
  sha256: z.string(),
})

/** A file that may go onto a disk. */
export type DiskCandidate = z.output<typeof candidate>
/** A disk as lists show it. */
export type ListedDisk = z.output<typeof disk> & z.output<typeof counts>

const settled = z.object({ name: z.string(), state: z.enum(diskItemStates), reason: z.string().nullable() })

export const sneakernet = {
  key: endpoint({
    path: 'sneakernet/key',
    level: 'READONLY',
    summary: 'The public key with which this librarian signs the disks that it sends.',
    request: z.object({}),
    answer: z.object({ librarian_name: z.string(), public_key: z.string() }),
    mutates: false,
    isOurs: true,
  }),
  trust: endpoint({
    path: 'sneakernet/trust',
    level: 'ADMIN',
    summary: 'Pin the public key of another librarian, in place of the one that is known.',
    request: z.object({ librarian_name: text, public_key: text.max(128) }),
    answer: z.object({ librarian_name: z.string(), public_key: z.string() }),
    mutates: true,
    isOurs: true,
  }),
  begin: endpoint({
    path: 'sneakernet/begin',
    level: 'ADMIN',
    summary: 'Begin to pack a disk, or go on with it. May be repeated.',
    request: z.object({ disk_id: diskId, librarian_name: text, label: text.max(256).default('') }),
    answer: disk,
    mutates: true,
    isOurs: true,
  }),
  candidates: endpoint({
    path: 'sneakernet/candidates',
    level: 'ADMIN',
    summary: 'Files that a librarian lacks and that are not on their way to it, by name.',
    request: z.object({
      librarian_name: text,
      /** Those with a copy on this store; none: with a copy anywhere. */
      store_name: optional(text),
      /** Of these alone. */
      names: optional(z.array(path).max(MAX_DISK_FILES)),
      /** The last name of the page before. */
      after: optional(text),
      max_results: maxResults,
    }),
    answer: z.object({ files: z.array(candidate), next: z.string().nullable() }),
    mutates: false,
    isOurs: true,
  }),
  add: endpoint({
    path: 'sneakernet/add',
    level: 'ADMIN',
    summary: 'Say which files are on a disk that is being packed. May be repeated.',
    request: z.object({
      disk_id: diskId,
      files: z.array(z.object({ name: text, instance_id: integer })).max(MAX_DISK_FILES),
    }),
    answer: z.object({ disk_id: z.string() }),
    mutates: true,
    isOurs: true,
  }),
  seal: endpoint({
    path: 'sneakernet/seal',
    level: 'ADMIN',
    summary: 'Open a transfer for each file of a disk, in one transaction; none where one is open. May be repeated.',
    request: z.object({ disk_id: diskId }),
    answer: disk,
    mutates: true,
    isOurs: true,
  }),
  items: endpoint({
    path: 'sneakernet/items',
    level: 'ADMIN',
    summary: 'The files of a disk, by name.',
    request: z.object({ disk_id: diskId, after: optional(text), max_results: maxResults }),
    answer: z.object({
      items: z.array(
        z.object({
          name: z.string(),
          size: z.int().nullable(),
          /** Null: the disk is not sealed. */
          transfer_id: z.int().nullable(),
          /** Of a disk that went out. */
          transfer_status: transferStatus.told.nullable(),
          /** Of one that came. */
          state: z.enum(diskItemStates).nullable(),
          reason: z.string().nullable(),
        }),
      ),
      next: z.string().nullable(),
    }),
    mutates: false,
    isOurs: true,
  }),
  sign: endpoint({
    path: 'sneakernet/sign',
    level: 'ADMIN',
    summary: 'Sign the manifest of a disk: it is packed. May be repeated.',
    request: z.object({ disk_id: diskId, tag_manifest: digest, files: integer, bytes: integer }),
    answer: z.object({ ...signed, public_key: z.string() }),
    mutates: true,
    isOurs: true,
  }),
  giveUp: endpoint({
    path: 'sneakernet/give_up',
    level: 'ADMIN',
    summary: 'Say that a disk will not arrive: its open transfers fail, and its files may go another way.',
    request: z.object({ disk_id: diskId }),
    answer: z.object({ disk_id: z.string(), failed_transfers: z.int() }),
    mutates: true,
    isOurs: true,
  }),
  list: endpoint({
    path: 'sneakernet/list',
    level: 'ADMIN',
    summary: 'Disks that went out or came, newest first.',
    request: z.object({ disk_id: optional(diskId), max_results: maxResults }),
    answer: z.object({ disks: z.array(disk.extend(counts.shape)) }),
    mutates: false,
    isOurs: true,
  }),
  arrive: endpoint({
    path: 'sneakernet/arrive',
    level: 'ADMIN',
    summary: 'Show the signed statement of a disk that has come. May be repeated.',
    request: z.object(signed),
    answer: disk.extend({ tag_manifest: z.string() }),
    mutates: true,
    isOurs: true,
  }),
  settle: endpoint({
    path: 'sneakernet/settle',
    level: 'ADMIN',
    summary: 'What becomes of files of a disk that has come: the catalogue says it, or the reader of the disk why not.',
    request: z.object({
      disk_id: diskId,
      files: z
        .array(
          z.object({
            name: text,
            /** At the librarian that sent it. */
            transfer_id: integer,
            size: integer,
            checksum: text,
            sha256: digest,
            /** Why the disk does not have it as it must be. */
            failure: optional(text.max(4096)),
          }),
        )
        .max(MAX_DISK_FILES),
      /** No file of it is left to be told of. */
      is_read: boolean.default(false),
    }),
    answer: z.object({ files: z.array(settled) }),
    mutates: true,
    isOurs: true,
  }),
  keep: endpoint({
    path: 'sneakernet/keep',
    level: 'READAPPEND',
    summary: 'Keep clones whose bytes have all come, at once: each is judged on its own. May be repeated.',
    request: z.object({
      transfers: z
        .array(
          z.object({
            destination_transfer_id: integer,
            /** By which provider its bytes came. */
            provider: text,
            /** Of the file at its origin. Default: now. */
            create_time: optional(instant),
          }),
        )
        .max(MAX_DISK_FILES),
    }),
    answer: z.object({
      kept: z.array(z.int()),
      refused: z.array(z.object({ destination_transfer_id: z.int(), reason: z.string() })),
    }),
    mutates: true,
    isOurs: true,
  }),
  heard: endpoint({
    path: 'sneakernet/heard',
    level: 'CALLBACK',
    summary: 'Tell the librarian that packed a disk how far it is.',
    request: z.object({ disk_id: diskId, state: z.enum(['reading', 'read']) }),
    answer: z.object({ disk_id: z.string() }),
    mutates: true,
    isOurs: true,
  }),
  receipt: endpoint({
    path: 'sneakernet/receipt',
    level: 'ADMIN',
    summary: 'Sign which files of a disk are kept here, page by page, to be carried back.',
    request: z.object({ disk_id: diskId }),
    answer: z.object({ ...signed, pages: z.int() }),
    mutates: false,
    isOurs: true,
  }),
  receiptPage: endpoint({
    path: 'sneakernet/receipt_page',
    level: 'ADMIN',
    summary: 'A page of a receipt: what its digest in the signed statement is of.',
    request: z.object({
      disk_id: diskId,
      /** The last name of the page before. */
      after: optional(text),
    }),
    answer: z.object({ lines: z.array(receiptLine) }),
    mutates: false,
    isOurs: true,
  }),
  confirm: endpoint({
    path: 'sneakernet/confirm',
    level: 'ADMIN',
    summary: 'A page of a receipt has come back: its transfers are completed. May be repeated.',
    request: z.object({ ...signed, page: integer, lines: z.array(receiptLine).max(MAX_DISK_FILES) }),
    answer: z.object({ disk_id: z.string(), confirmed: z.int(), refused: z.array(z.string()) }),
    mutates: true,
    isOurs: true,
  }),
}
