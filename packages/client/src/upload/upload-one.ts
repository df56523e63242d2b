/**
 * One upload, from the announcement to the acknowledgement (librarian 11.2).
 *
 *     announce  stage, or what an earlier run has left of the very same upload
 *     send      by the first way that works; each file must still be the one that was digested
 *     commit    again and again while the server is away: the same commit twice is one
 *     settle    after an answer that never came, what the librarian has decides
 *
 * Does not promise that the bytes are where they belong before `commit` has been answered.
 */
import { type AnswerOf, type DeletionPolicy, endpoints, LibrarianError } from '@arriero/api'
import { type FileProgress, type Progress, TransferError } from '@arriero/transfer'
import type { Librarian } from '../librarian.ts'
import { isKept } from './is-kept.ts'
import { assertUnchanged } from './local-item.ts'
import { chooseMethod, type Method } from './method.ts'
import type { Prepared } from './prepare.ts'
import type { ResumeRecords, UploadIdentity } from './resume-records.ts'
import { lastPart, sendBytes } from './send-bytes.ts'

export type Staged = AnswerOf<typeof endpoints.upload.stage>

/** An upload that the librarian keeps. */
export interface UploadedFile {
  /** The local path. */
  readonly path: string
  readonly name: string
  readonly kind: 'file' | 'tree'
  readonly size: number
  /** Wire form. */
  readonly checksum: string
  /** `present`: the librarian had this very content under this name before. */
  readonly status: 'uploaded' | 'present'
  /** Name of the way that was taken. */
  readonly method?: string | undefined
  /** Bytes that an earlier run had sent. */
  readonly held: number
}

export interface UploadOneOptions {
  readonly deletion?: DeletionPolicy | undefined
  readonly links?: 'refuse' | 'follow' | undefined
  /** Undefined: a later run begins anew. */
  readonly records?: ResumeRecords | undefined
  readonly progress: Progress
  readonly signal: AbortSignal
  /** First wait after bytes could not be sent, ms. Default 250. */
  readonly waitMs?: number | undefined
}

export async function uploadOne(
  librarian: Librarian,
  prepared: Prepared,
  file: FileProgress,
  options: UploadOneOptions,
): Promise<UploadedFile> {
  const identity = identityOf(librarian, prepared)
  const kept = await options.records?.find(identity)
  if (kept) {
    const staged = endpoints.upload.stage.answer.safeParse(kept.staged)
    try {
      if (staged.success) return await sendAndCommit(librarian, prepared, staged.data, file, options, true)
    } catch (error) {
      if (!isForgotten(error)) throw error
    }
    // The server has given up what was kept here.
    await options.records?.forget(identity)
  }
  const staged = await announce(librarian, prepared, options)
  if (staged === undefined) return outcomeOf(prepared, 'present', undefined, 0)
  await options.records?.keep(identity, { destination: prepared.request.name, staged: { ...staged } })
  return sendAndCommit(librarian, prepared, staged, file, options, false)
}

const forgotten: ReadonlySet<string> = new Set(['NotFound', 'NotYours', 'StagedNotFound', 'Conflict', 'Mismatch'])

/** Whether an upload that was begun earlier is known no more, so that a new one may do better. */
function isForgotten(error: unknown): boolean {
  if (error instanceof TransferError) return error.code === 'NotFound'
  return error instanceof LibrarianError && forgotten.has(error.code)
}

/** Undefined: the librarian has this very content under this name, and a good copy of it. */
async function announce(
  librarian: Librarian,
  { request, item, checksum }: Prepared,
  options: UploadOneOptions,
): Promise<Staged | undefined> {
  try {
    return await librarian.api.upload.stage(
      {
        upload_size: item.size,
        upload_checksum: checksum,
        upload_name: lastPart(request.name),
        destination_location: request.name,
        uploader: librarian.connection.user,
        ...(item.kind === 'tree' ? { is_tree: true } : {}),
      },
      { signal: options.signal },
    )
  } catch (error) {
    if (!(error instanceof LibrarianError) || error.code !== 'FileExists') throw error
    const wanted = { name: request.name, checksum, size: item.size }
    if (await isKept(librarian, wanted, error.fields.existing, options)) return undefined
    throw error
  }
}

async function sendAndCommit(
  librarian: Librarian,
  prepared: Prepared,
  staged: Staged,
  file: FileProgress,
  options: UploadOneOptions,
  isContinued: boolean,
): Promise<UploadedFile> {
  const { records, progress, links, signal } = options
  const method = await chooseMethod(prepared.item, staged)
  const sending = { file, progress, signal, waitMs: options.waitMs, isContinued }
  progress.enter(file, 'fetching')
  const held = await sendBytes(librarian, prepared.item, staged.staging_location, method, sending)
  await assertUnchanged(prepared.request.path, prepared.item, { links, signal })
  progress.enter(file, 'publishing')
  await commit(librarian, prepared, staged, method, options)
  await records?.forget(identityOf(librarian, prepared))
  return outcomeOf(prepared, 'uploaded', method.name, held)
}

async function commit(
  librarian: Librarian,
  { request, item, checksum }: Prepared,
  staged: Staged,
  method: Method,
  options: UploadOneOptions,
): Promise<void> {
  const { deletion, signal } = options
  try {
    await librarian.api.upload.commit(
      {
        ...staged,
        transfer_provider_name: method.name,
        transfer_provider: { hostnames: method.provider.hostnames },
        meta_mode: 'infer',
        deletion_policy: deletion === 'ALLOWED' ? '1' : '0',
        uploader: librarian.connection.user,
        null_obsid: true,
      },
      { signal },
    )
  } catch (error) {
    signal.throwIfAborted()
    // Its answer may have been lost, and an older server does not know its own commit again.
    const mayBeDone = error instanceof LibrarianError && unsure.has(error.code)
    const wanted = { name: request.name, checksum, size: item.size }
    if (mayBeDone && (await isKept(librarian, wanted, undefined, options).catch(() => false))) return
    throw error
  }
}

const unsure: ReadonlySet<string> = new Set([...forgotten, 'PeerUnreachable', 'OutcomeUnknown', 'FileExists'])

export function identityOf({ connection }: Librarian, { request, item, checksum }: Prepared): UploadIdentity {
  const { url, user } = connection
  return { url, user, destination: request.name, checksum, size: item.size }
}

export function outcomeOf(
  { request, item, checksum }: Prepared,
  status: UploadedFile['status'],
  method: string | undefined,
  held: number,
): UploadedFile {
  return { path: request.path, name: request.name, kind: item.kind, size: item.size, checksum, status, method, held }
}
