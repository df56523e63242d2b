/** From librarian to librarian (librarian 10.3). */
import { z } from 'zod'
import { endpoint, type Failures } from '../endpoint.ts'
import { integer, path, text } from '../values/lax.ts'
import { asyncProviders, uploadProviders } from './providers.ts'
import { MAX_BATCH } from './upload.ts'

const ids = { source_transfer_id: integer, destination_transfer_id: integer }
const toldIds = { source_transfer_id: z.int(), destination_transfer_id: z.int() }

type Ids = { readonly source_transfer_id: number; readonly destination_transfer_id: number }

const failureIds = (request: Ids): Ids => ({
  source_transfer_id: request.source_transfer_id,
  destination_transfer_id: request.destination_transfer_id,
})

const noIds: Ids = { source_transfer_id: -1, destination_transfer_id: -1 }

const announced = {
  upload_size: integer,
  upload_checksum: text,
  upload_name: path,
  destination_location: path,
  uploader: text,
  source_transfer_id: integer,
}

const repeated = {
  FileExists: { status: 409, reason: 'File already exists on librarian.' },
  TransferOngoing: { status: 425, reason: 'Transfer is ongoing.' },
  TransferReplaced: { status: 406, reason: 'Transfer was already initiated or staged.' },
} as const satisfies Failures

/** Many pairs of one call, each judged on its own. */
const pairs = <Shape extends z.ZodRawShape>(shape: Shape) => z.array(z.object(shape)).min(1).max(MAX_BATCH)

const wrongState = { NotFound: { status: 404 }, Conflict: { status: 406 } } as const

export const clone = {
  stage: endpoint({
    path: 'clone/stage',
    level: 'READAPPEND',
    summary: 'Announce one file that comes from another librarian, as from a carried disk.',
    request: z.object({ ...announced, source: text }),
    answer: z.object({
      available_bytes_on_store: z.int(),
      store_name: z.string(),
      staging_name: z.string(),
      staging_location: z.string(),
      upload_name: z.string(),
      destination_location: z.string(),
      transfer_providers: uploadProviders,
      ...toldIds,
    }),
    status: 201,
    shape: 'detail',
    failures: { BadSize: { status: 400 }, NoStore: { status: 413 }, ...repeated },
    failureFields: request => ({ source_transfer_id: request.source_transfer_id, destination_transfer_id: -1 }),
    mutates: true,
  }),
  batchStage: endpoint({
    path: 'clone/batch_stage',
    level: 'READAPPEND',
    summary: 'Announce many files that another librarian wants to send.',
    request: z.object({ source: text, total_size: integer, uploads: z.array(z.object(announced)) }),
    answer: z.object({
      available_bytes_on_store: z.int(),
      store_name: z.string(),
      uploads: z.array(
        z.object({
          staging_name: z.string(),
          staging_location: z.string(),
          upload_name: z.string(),
          destination_location: z.string(),
          ...toldIds,
        }),
      ),
      async_transfer_providers: asyncProviders,
    }),
    status: 201,
    /** Those about items carry `source_transfer_ids` and `destination_transfer_ids` as the error’s own fields. */
    failures: {
      BadSize: { status: 400, shape: 'detail', fields: noIds },
      NoStore: { status: 413, shape: 'detail', fields: noIds },
      ...repeated,
    },
    mutates: true,
  }),
  ongoing: endpoint({
    path: 'clone/ongoing',
    level: 'READAPPEND',
    summary: 'Say that the bytes of a clone are on their way.',
    request: z.object(ids),
    answer: z.object(toldIds),
    failures: wrongState,
    failureFields: failureIds,
    mutates: true,
  }),
  staged: endpoint({
    path: 'clone/staged',
    level: 'CALLBACK',
    summary: 'Say that the bytes of a clone have arrived in the staging area.',
    request: z.object(ids),
    answer: z.object({ ...toldIds, success: z.boolean().default(true) }),
    failures: wrongState,
    failureFields: failureIds,
    mutates: true,
  }),
  complete: endpoint({
    path: 'clone/complete',
    level: 'CALLBACK',
    summary: 'Tell the sender that its clone is kept here.',
    request: z.object({ ...ids, store_id: integer }),
    answer: z.object(toldIds),
    failures: {
      NotFound: { status: 400, reason: 'Could not find transfer.' },
      NotYours: { status: 400, reason: 'Could not find transfer.' },
      UnknownLibrarian: { status: 400 },
      Conflict: { status: 406 },
    },
    failureFields: failureIds,
    mutates: true,
  }),
  fail: endpoint({
    path: 'clone/fail',
    level: 'READAPPEND',
    summary: 'Tell the receiver that a clone will not come.',
    request: z.object({ ...ids, reason: text }),
    answer: z.object({ ...toldIds, success: z.boolean().default(true) }),
    failures: wrongState,
    failureFields: failureIds,
    mutates: true,
  }),
  pull: endpoint({
    path: 'clone/pull',
    level: 'READAPPEND',
    summary: 'Ask the receiver to fetch the bytes of clones that were announced to it. May be repeated.',
    request: z.object({ transfers: pairs(ids) }),
    answer: z.object({
      accepted: z.array(z.int()),
      refused: z.array(z.object({ destination_transfer_id: z.int(), reason: z.string() })),
    }),
    mutates: true,
    isOurs: true,
  }),
  completeMany: endpoint({
    path: 'clone/complete_many',
    level: 'CALLBACK',
    summary: 'Tell the sender that its clones are kept here: each is judged on its own. May be repeated.',
    request: z.object({ transfers: pairs({ ...ids, store_id: integer }) }),
    answer: z.object({
      completed: z.array(z.int()),
      refused: z.array(z.object({ source_transfer_id: z.int(), reason: z.string() })),
    }),
    mutates: true,
    isOurs: true,
  }),
}
