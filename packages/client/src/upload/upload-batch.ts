/** Many small files with two calls for all of them, where the librarian knows how (ours do). */
import { LibrarianError, type OutcomeFailure } from '@arriero/api'
import type { FileProgress } from '@arriero/transfer'
import { workTogether } from '../crew.ts'
import type { Librarian } from '../librarian.ts'
import { isKept } from './is-kept.ts'
import { assertUnchanged } from './local-item.ts'
import { chooseMethod, type Method } from './method.ts'
import type { Prepared } from './prepare.ts'
import { lastPart, sendBytes } from './send-bytes.ts'
import { outcomeOf, type Staged, type UploadedFile, type UploadOneOptions } from './upload-one.ts'

export interface BatchItem {
  readonly prepared: Prepared
  readonly file: FileProgress
}

export type BatchOutcome =
  | { readonly ok: true; readonly uploaded: UploadedFile }
  | { readonly ok: false; error: unknown }

/** Files that are sent at once. */
const AT_ONCE = 8

/** Outcomes in the order of the items. Rejects only where nothing at all could be asked. */
export async function uploadBatch(
  librarian: Librarian,
  items: readonly BatchItem[],
  options: UploadOneOptions,
): Promise<BatchOutcome[]> {
  const outcomes = new Array<BatchOutcome>(items.length)
  const announced = await announce(librarian, items, options)
  const sent: { readonly at: number; readonly staged: Staged; readonly method: Method }[] = []
  await workTogether([...announced.entries()], Array(AT_ONCE).keys(), async ([at, answer]) => {
    const item = items[at] as BatchItem
    try {
      if (!answer.success) outcomes[at] = await refused(librarian, item, answer, options)
      else sent.push({ at, staged: answer, method: await send(librarian, item, answer, options) })
    } catch (error) {
      options.signal.throwIfAborted()
      outcomes[at] = { ok: false, error }
    }
  })
  if (sent.length > 0) {
    const answers = await commit(librarian, sent, options)
    for (const [index, { at, method }] of sent.entries()) {
      const { prepared } = items[at] as BatchItem
      const answer = answers[index]
      outcomes[at] = answer?.success
        ? { ok: true, uploaded: outcomeOf(prepared, 'uploaded', method.name, 0) }
        : { ok: false, error: errorOf(answer, prepared) }
    }
  }
  return outcomes
}

async function announce(librarian: Librarian, items: readonly BatchItem[], options: UploadOneOptions) {
  const uploads = items.map(({ prepared: { request, item, checksum } }) => ({
    upload_size: item.size,
    upload_checksum: checksum,
    upload_name: lastPart(request.name),
    destination_location: request.name,
  }))
  const request = { uploader: librarian.connection.user, uploads }
  const { outcomes } = await librarian.api.upload.batchStage(request, { signal: options.signal })
  if (outcomes.length === items.length) return outcomes
  throw new LibrarianError(
    'BadAnswer',
    `The librarian answers ${outcomes.length} of ${items.length} announced uploads.`,
  )
}

async function refused(
  librarian: Librarian,
  { prepared }: BatchItem,
  answer: OutcomeFailure,
  options: UploadOneOptions,
): Promise<BatchOutcome> {
  const { request, item, checksum } = prepared
  const wanted = { name: request.name, checksum, size: item.size }
  const isThere = answer.code === 'FileExists' && (await isKept(librarian, wanted, answer.existing, options))
  if (isThere) return { ok: true, uploaded: outcomeOf(prepared, 'present', undefined, 0) }
  return { ok: false, error: errorOf(answer, prepared) }
}

async function send(
  librarian: Librarian,
  { prepared, file }: BatchItem,
  staged: Staged,
  { progress, signal, links, waitMs }: UploadOneOptions,
): Promise<Method> {
  const method = await chooseMethod(prepared.item, staged)
  const options = { file, progress, signal, waitMs, isContinued: false }
  await sendBytes(librarian, prepared.item, staged.staging_location, method, options)
  await assertUnchanged(prepared.request.path, prepared.item, { links, signal })
  return method
}

async function commit(
  librarian: Librarian,
  sent: readonly { readonly staged: Staged; readonly method: Method }[],
  options: UploadOneOptions,
) {
  const commits = sent.map(({ staged, method }) => ({
    transfer_id: staged.transfer_id,
    transfer_provider_name: method.name,
    deletion_policy: options.deletion ?? 'DISALLOWED',
  }))
  return (await librarian.api.upload.batchCommit({ commits }, { signal: options.signal })).outcomes
}

function errorOf(answer: OutcomeFailure | undefined, { request }: Prepared): LibrarianError {
  if (answer === undefined) return new LibrarianError('BadAnswer', `The librarian says nothing of ${request.name}.`)
  return new LibrarianError(answer.code, `Cannot upload ${request.name}: ${answer.reason}`, {
    remedy: answer.suggested_remedy,
  })
}
