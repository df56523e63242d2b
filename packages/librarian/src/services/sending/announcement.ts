/** What a batch says to its receiver, and what the receiver says of it (librarian 10.3). */
import type { AnswerOf, endpoints, LibrarianError } from '@arriero/api'
import type { BatchTransfer } from '../../catalogue/operations/begin-batch.ts'
import type { Pairing } from '../../catalogue/operations/sending.ts'

export type Staged = AnswerOf<typeof endpoints.clone.batchStage>
export type Pairs = Pairing['pairs']

/** As real senders write it: both names are the file's. */
export function announcementOf(transfers: readonly BatchTransfer[], source: string) {
  return {
    source,
    total_size: transfers.reduce((sum, { size }) => sum + size, 0),
    uploads: transfers.map(({ id, name, size, checksum, uploader }) => ({
      upload_size: size,
      upload_checksum: checksum,
      upload_name: name,
      destination_location: name,
      uploader,
      source_transfer_id: id,
    })),
  }
}

/** Our numbers of those that a refusal is about. */
export function refusedIds({ fields }: LibrarianError): ReadonlySet<unknown> {
  return new Set(Array.isArray(fields.source_transfer_ids) ? fields.source_transfer_ids : [])
}

/** Each transfer once, by our number, at a place that is what it must be. */
export function pairsOf(staged: Staged, transfers: readonly BatchTransfer[]): Pairs {
  const names = new Map(transfers.map(({ id, name }) => [id, name]))
  const pairs = new Map<number, Pairs[number]>()
  const remoteIds = new Set<number>()
  for (const {
    source_transfer_id: id,
    destination_transfer_id: remoteId,
    staging_location: target,
  } of staged.uploads) {
    const name = names.get(id)
    if (name === undefined || pairs.has(id) || remoteIds.has(remoteId) || !isPlace(target, name)) continue
    pairs.set(id, { id, remoteId, target })
    remoteIds.add(remoteId)
  }
  return [...pairs.values()]
}

/** `<staging>/<id>/<name>`, absolute: an answer must not lead our writes anywhere else (reliability F2). */
function isPlace(target: string, name: string): boolean {
  return target.startsWith('/') && target.endsWith(`/${name}`) && !target.split('/').includes('..')
}
