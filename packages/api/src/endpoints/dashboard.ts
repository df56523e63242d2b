/** Ours: what the dashboard shows, each page by one call. Times are of this site's clock, in UTC. */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { integer, naive, optional, text } from '../values/lax.ts'
import { fileAnswer } from './dashboard/file.ts'
import { copyState, overview } from './dashboard/overview.ts'
import { direction, transferAnswer, transferRow, transferState } from './dashboard/transfers.ts'

/** Most rows of one page. */
export const MAX_ROWS = 100

const limit = integer.default(50).pipe(z.int().min(1).max(MAX_ROWS))

/** For `after` of the next page, as it is; null: there is none. */
const next = z.string().nullable()

const foundFile = z.object({
  file_name: z.string(),
  size: z.int(),
  create_time: naive,
  uploader: z.string(),
  source: z.string(),
  /** In use at this site. */
  copies: z.int(),
  /** That other sites are known to hold. */
  remote_copies: z.int(),
  /** Of the copies in use the gravest. Null: there is none here. */
  state: copyState.nullable(),
})

const site = z.object({
  librarian_name: z.string(),
  enabled: z.boolean(),
  /** Null: nobody has asked it yet. */
  reachable: z.boolean().nullable(),
  /** Since when it refuses our account there, so that nothing is sent; null: it does not. */
  refused_since: naive.nullable().optional(),
  /** When it last answered. */
  last_seen: naive,
  /** When it last called. */
  last_heard: naive,
  /** Open transfers to it and from it. */
  outgoing: z.object({ files: z.int(), bytes: z.int() }),
  incoming: z.object({ files: z.int(), bytes: z.int() }),
  /** Of the last seven days. */
  sent: z.object({ files: z.int(), bytes: z.int(), failed: z.int() }),
  received: z.object({ files: z.int(), bytes: z.int(), failed: z.int() }),
  /** Copies that it is known to hold. */
  copies: z.int(),
})

const auditEntry = z.object({
  id: z.int(),
  time: naive,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  /** JSON: why, which proofs, what came of it. */
  detail: z.string(),
})

const noTransfer = { NotFound: { status: 404 } } as const

export const dashboard = {
  overview: endpoint({
    path: 'dashboard/overview',
    level: 'READONLY',
    summary: 'What somebody on shift must see at once; computed at most every two seconds for all who ask.',
    request: z.object({}),
    answer: overview,
    mutates: false,
    isOurs: true,
  }),
  files: endpoint({
    path: 'dashboard/files',
    level: 'READONLY',
    summary: 'Find files while a name is typed: those that begin with it, then those that have all its words anywhere.',
    request: z.object({
      /** Empty: the newest files. */
      query: text.max(256).default(''),
      limit,
      after: optional(text.max(1024)),
    }),
    answer: z.object({
      files: z.array(foundFile),
      /** All that match, where that is known without counting for long. */
      total: z.int().nullable(),
      /** Whether there are more than these. */
      more: z.boolean(),
      next,
    }),
    mutates: false,
    isOurs: true,
  }),
  file: endpoint({
    path: 'dashboard/file',
    level: 'READONLY',
    summary: 'Look a file up with its copies everywhere, their proofs, and what has happened to it.',
    request: z.object({ file_name: text.min(1).max(256) }),
    answer: fileAnswer,
    failures: { NotFound: { status: 404, reason: 'This file does not exist in the librarian.' } },
    mutates: false,
    isOurs: true,
  }),
  transfers: endpoint({
    path: 'dashboard/transfers',
    level: 'READONLY',
    summary: 'List transfers of one direction, newest first, and how many there are in each state.',
    request: z.object({
      direction,
      state: optional(transferState),
      librarian_name: optional(text),
      limit,
      after: optional(text.max(64)),
    }),
    answer: z.object({
      /** Of all that match but for the state; of those that have ended, those begun in the last day. */
      counts: z.record(transferState, z.int()),
      transfers: z.array(transferRow),
      more: z.boolean(),
      next,
    }),
    mutates: false,
    isOurs: true,
  }),
  transfer: endpoint({
    path: 'dashboard/transfer',
    level: 'READONLY',
    summary: 'Look a transfer up with its timeline.',
    request: z.object({ direction, id: integer }),
    answer: transferAnswer,
    failures: noTransfer,
    mutates: false,
    isOurs: true,
  }),
  transferRetry: endpoint({
    path: 'dashboard/transfer_retry',
    level: 'ADMIN',
    summary: 'Try a transfer to another librarian again: at once where it waits, as a new one where it has failed.',
    request: z.object({ direction: z.literal('out'), id: integer }),
    /** The transfer that is under way now. */
    answer: z.object({ direction: z.literal('out'), id: z.int() }),
    failures: { ...noTransfer, Conflict: { status: 409 } },
    mutates: true,
    isOurs: true,
  }),
  sites: endpoint({
    path: 'dashboard/sites',
    level: 'READONLY',
    summary: 'List the other librarians: whether they answer, and what goes to and fro.',
    request: z.object({}),
    answer: z.object({ site_name: z.string(), sites: z.array(site) }),
    mutates: false,
    isOurs: true,
  }),
  audit: endpoint({
    path: 'dashboard/audit',
    level: 'ADMIN',
    summary: 'List the audit log, newest first, and whether its chain is whole.',
    request: z.object({
      actor: optional(text),
      action: optional(text),
      subject: optional(text),
      limit,
      after: optional(text.max(64)),
    }),
    answer: z.object({
      entries: z.array(auditEntry),
      more: z.boolean(),
      next,
      /** Of the last check; null: the first one is under way. */
      chain: z
        .object({
          time: naive,
          is_whole: z.boolean(),
          entries: z.int(),
          /** The first entry that is not what was written. */
          broken: z.object({ id: z.int(), why: z.string() }).nullable(),
        })
        .nullable(),
    }),
    mutates: false,
    isOurs: true,
  }),
}
