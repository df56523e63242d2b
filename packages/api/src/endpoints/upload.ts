/** Bringing files in (librarian 10.2). */
import { z } from 'zod'
import { endpoint, type Failures } from '../endpoint.ts'
import { deletionPolicyText } from '../values/deletion-policy.ts'
import { boolean, integer, optional, path, text } from '../values/lax.ts'
import { outcomeFailure } from './outcome.ts'
import { uploadProviders } from './providers.ts'

/** Most items of one batch (librarian Q32). */
export const MAX_BATCH = 1024

const negativeSize = {
  status: 400,
  reason: 'Upload size must be positive.',
  remedy: 'Check you are trying to upload a valid file.',
  shape: 'bare',
} as const

const stageFailures = {
  BadSize: negativeSize,
  TooLarge: { status: 413, reason: 'Upload size is too large.' },
  FileExists: { status: 409, reason: 'File already exists on librarian.' },
  NoStore: { status: 413, reason: 'No stores available for upload. Your upload is too large.' },
} as const satisfies Failures

const commitFailures = {
  NotYours: { status: 401, reason: 'This transfer is another user’s.' },
  UnknownStore: { status: 404 },
  StagedNotFound: { status: 404, reason: 'File not found in staging area.' },
  FileExists: { status: 409, reason: 'File already exists on store.' },
  Mismatch: { status: 406, reason: 'File does not have a valid checksum or size' },
  Internal: { status: 500, reason: 'Internal server error.' },
} as const satisfies Failures

/** Of ours, nothing tells what is another's from what is not there. */
const { NotYours: _, ...batchCommitFailures } = commitFailures

const staged = {
  available_bytes_on_store: z.int(),
  store_name: z.string(),
  /** The staging directory’s name, a UUID. */
  staging_name: z.string(),
  /** Absolute, with the upload’s name. */
  staging_location: z.string(),
  upload_name: z.string(),
  destination_location: z.string(),
  transfer_providers: uploadProviders,
  transfer_id: z.int(),
}

const announced = {
  upload_size: integer,
  /** Wire form; the sender’s own, which travels unchanged. */
  upload_checksum: text,
  /** Last component of the destination. */
  upload_name: path,
  /** The future file’s name. */
  destination_location: path,
}

const committed = z.object({
  success: z.literal(true),
  transfer_id: z.int(),
  /** The file’s name. */
  name: z.string(),
})

const failed = outcomeFailure.extend({ destination_location: z.string() })
const commitFailed = outcomeFailure.extend({ transfer_id: z.int() })

export const upload = {
  stage: endpoint({
    path: 'upload/stage',
    level: 'READAPPEND',
    summary: 'Announce an upload and learn where its bytes go.',
    request: z.object({
      ...announced,
      uploader: text,
      /** Ours: a directory, so that a store is chosen which keeps such. Older servers and clients do not know it. */
      is_tree: z.boolean().optional(),
    }),
    answer: z.object(staged),
    status: 201,
    failures: stageFailures,
    mutates: true,
  }),
  commit: endpoint({
    path: 'upload/commit',
    level: 'READAPPEND',
    summary: 'Verify what was brought and keep it under its name.',
    request: z.object({
      store_name: text,
      staging_name: path,
      staging_location: path,
      upload_name: path,
      destination_location: path,
      transfer_provider_name: text,
      transfer_provider: z.object({ hostnames: z.array(z.string()) }),
      /** Ignored; the older client sends `infer`. */
      meta_mode: text,
      deletion_policy: deletionPolicyText,
      uploader: text,
      /** Ignored. */
      null_obsid: boolean.default(false),
      transfer_id: integer,
    }),
    answer: z.undefined(),
    answerIsEmpty: true,
    failures: commitFailures,
    mutates: true,
    joins: true,
  }),
  batchStage: endpoint({
    path: 'upload/batch_stage',
    level: 'READAPPEND',
    summary: 'Announce many uploads at once: one outcome each, in order.',
    request: z.object({ uploader: text, uploads: z.array(z.object(announced)).min(1).max(MAX_BATCH) }),
    answer: z.object({
      outcomes: z.array(z.discriminatedUnion('success', [z.object({ success: z.literal(true), ...staged }), failed])),
    }),
    failures: stageFailures,
    mutates: true,
    isOurs: true,
  }),
  batchCommit: endpoint({
    path: 'upload/batch_commit',
    level: 'READAPPEND',
    summary: 'Verify and keep many uploads at once: one outcome each, in order.',
    request: z.object({
      commits: z
        .array(
          z.object({
            transfer_id: integer,
            transfer_provider_name: text.default('local'),
            deletion_policy: deletionPolicyText.default('DISALLOWED'),
          }),
        )
        .min(1)
        .max(MAX_BATCH),
    }),
    answer: z.object({ outcomes: z.array(z.discriminatedUnion('success', [committed, commitFailed])) }),
    failures: batchCommitFailures,
    mutates: true,
    joins: true,
    isOurs: true,
  }),
  abort: endpoint({
    path: 'upload/abort',
    level: 'READAPPEND',
    summary: 'Give up an upload that was announced: its staged bytes go, its name is free. May be repeated.',
    request: z.object({ transfer_id: integer, reason: optional(text) }),
    answer: z.object({ success: z.literal(true), transfer_id: z.int() }),
    mutates: true,
    isOurs: true,
  }),
}
