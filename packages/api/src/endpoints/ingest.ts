/** Ours: files that the librarian fetches itself, by URIs, as a job. Callers below ADMIN see their own. */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { deletionPolicyText } from '../values/deletion-policy.ts'
import { boolean, instantWindow, integer, maxResults, naive, optional, path, text } from '../values/lax.ts'

/** Most entries of one call; longer lists come by `manifest_uri`. */
export const MAX_ENTRIES = 10_000

/** `done`: every entry is kept. `failed`: some are not, or none could be begun; what is kept stays. */
export const jobStatuses = ['queued', 'running', 'done', 'failed', 'cancelled'] as const
/** `exists`: the same content was kept under the name already. */
export const ingestItemStatuses = ['pending', 'done', 'exists', 'failed'] as const

/** One of `jobStatuses`. */
export type JobStatus = (typeof jobStatuses)[number]
/** One of `ingestItemStatuses`. */
export type IngestItemStatus = (typeof ingestItemStatuses)[number]

const uri = text.min(1).max(8192)

const entry = z.object({
  /** The future file’s name. */
  name: path,
  uri,
  /** Other places of the very same bytes. */
  mirrors: z.array(uri).max(16).default([]),
  size: optional(integer),
  /** Wire form; without one the job must allow unattested entries. */
  checksum: optional(text),
})

const job = z.object({
  job_id: z.string(),
  owner: z.string(),
  status: z.enum(jobStatuses),
  created_time: naive,
  started_time: naive.nullable(),
  ended_time: naive.nullable(),
  /** Why it failed: what ended it as a whole, or how many entries could not be kept. */
  reason: z.string().nullable(),
  /** Entries known so far: a manifest is read while the job runs. */
  total: z.int(),
  /** Kept, or there already with the same content. */
  done: z.int(),
  failed: z.int(),
  bytes: z.int(),
})

const item = z.object({
  /** Place in the list, from 0. */
  position: z.int(),
  name: z.string(),
  status: z.enum(ingestItemStatuses),
  attempts: z.int(),
  reason: z.string().nullable(),
})

const jobId = text.regex(/^[0-9a-f]{32}$/)

export const ingest = {
  create: endpoint({
    path: 'ingest',
    level: 'READAPPEND',
    summary: 'Have files fetched and kept: a list of entries, or the URI of a manifest.',
    request: z
      .object({
        entries: optional(z.array(entry).min(1).max(MAX_ENTRIES)),
        manifest_uri: optional(uri),
        /** Form of the manifest, where its content would not tell. */
        manifest_form: optional(text),
        /** Put before every name, with a slash between. */
        prefix: optional(path),
        uploader: optional(text),
        /** Name of credentials that the librarian’s settings hold; secrets never travel in jobs. */
        credentials: optional(text.max(64)),
        deletion_policy: deletionPolicyText.default('DISALLOWED'),
        /** Whether entries without a checksum are taken; they are marked for ever (reliability A7). */
        allow_unattested: boolean.default(false),
      })
      .refine(request => (request.entries === undefined) !== (request.manifest_uri === undefined), {
        message: 'must have either entries or manifest_uri',
      }),
    answer: job,
    status: 201,
    mutates: true,
    isOurs: true,
  }),
  status: endpoint({
    path: 'ingest/status',
    level: 'READAPPEND',
    summary: 'How far a job is, and a page of its items by position.',
    request: z.object({
      job_id: jobId,
      /** Items with one of these; none: the job alone. */
      item_statuses: z.array(z.enum(ingestItemStatuses)).max(4).default(['failed']),
      /** Position of the last item of the page before. */
      after: optional(integer),
      max_results: maxResults,
    }),
    answer: z.object({
      job,
      items: z.array(item),
      /** For `after` of the next page; null: there is none. */
      next: z.int().nullable(),
    }),
    mutates: false,
    isOurs: true,
  }),
  list: endpoint({
    path: 'ingest/list',
    level: 'READAPPEND',
    summary: 'List jobs, newest first.',
    request: z.object({
      statuses: optional(z.array(z.enum(jobStatuses)).max(5)),
      owner: optional(text),
      create_time_window: optional(instantWindow),
      /** `job_id` of the last job of the page before. */
      after: optional(jobId),
      max_results: maxResults,
    }),
    answer: z.object({
      jobs: z.array(job),
      /** For `after` of the next page; null: there is none. */
      next: z.string().nullable(),
    }),
    mutates: false,
    isOurs: true,
  }),
  cancel: endpoint({
    path: 'ingest/cancel',
    level: 'READAPPEND',
    summary: 'Stop a job: what it has kept stays, what is under way is undone. May be repeated.',
    request: z.object({ job_id: jobId }),
    answer: job,
    mutates: true,
    isOurs: true,
  }),
}
