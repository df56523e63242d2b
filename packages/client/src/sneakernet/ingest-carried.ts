/**
 * Files from a carried disk into a librarian (librarian 11.7, step 3): announced as a clone from the librarian that sent the
 * disk, copied or sent, and handed over. Verified and kept is each by the librarian, in its own time.
 */
import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { Progress, resolveTarget, TransferError } from '@arriero/transfer'
import type { Librarian } from '../librarian.ts'
import { type LocalItem, readItem } from '../upload/local-item.ts'
import { chooseMethod } from '../upload/method.ts'
import { lastPart, sendBytes } from '../upload/send-bytes.ts'
import type { CarriedEntry, CarriedManifest } from './carried-manifest.ts'

export interface IngestCarriedOptions {
  /** Where the names of the manifest are found. */
  readonly root: string
  readonly progress?: Progress | undefined
  readonly signal?: AbortSignal | undefined
}

export type CarriedOutcome =
  | { readonly ok: true; readonly entry: CarriedEntry; readonly status: 'staged' | 'present' }
  | { readonly ok: false; readonly entry: CarriedEntry; readonly error: unknown }

/** One after the other, as they stand on the disk; a failure of one does not stop the others. */
export async function* ingestCarried(
  librarian: Librarian,
  manifest: CarriedManifest,
  { root, progress = new Progress(), signal = new AbortController().signal }: IngestCarriedOptions,
): AsyncGenerator<CarriedOutcome, void, undefined> {
  const top = await realpath(root).catch(cause => {
    throw new TransferError('NotFound', `Cannot read the disk at ${root}: ${(cause as Error).message}`, { cause })
  })
  progress.listed += manifest.store_files.length
  progress.isListed = true
  for (const entry of manifest.store_files) {
    signal.throwIfAborted()
    const file = progress.start(entry.name, entry.size)
    try {
      const item = await itemOf(entry, top, signal)
      const status = await handOver(librarian, manifest, entry, item, { file, progress, signal })
      progress.finish(file, status === 'present' ? 'skipped' : 'done')
      yield { ok: true, entry, status }
    } catch (error) {
      progress.finish(file, 'failed')
      signal.throwIfAborted()
      yield { ok: false, entry, error }
    }
  }
}

/** The manifest came from outside: its names stay below the disk, also through links (reliability F2). */
async function itemOf(entry: CarriedEntry, top: string, signal: AbortSignal): Promise<LocalItem> {
  const item = await readItem(resolveTarget(top, entry.name), { signal })
  if (!item.root.startsWith(`${top}${sep}`)) {
    throw new TransferError('PathUnsafe', `Cannot take ${entry.name}: it leads out of the disk, to ${item.root}`, {
      file: join(top, entry.name),
      remedy: 'Replace the link by what it leads to.',
    })
  }
  if (item.size === entry.size) return item
  throw new TransferError(
    'SizeMismatch',
    `Cannot take ${entry.name}: it must have ${entry.size} bytes, got ${item.size}`,
    {
      file: item.root,
      remedy: 'The disk holds another file than the manifest says; ask for it again.',
    },
  )
}

async function handOver(
  librarian: Librarian,
  manifest: CarriedManifest,
  entry: CarriedEntry,
  item: LocalItem,
  sending: { file: ReturnType<Progress['start']>; progress: Progress; signal: AbortSignal },
): Promise<'staged' | 'present'> {
  const { clone } = librarian.api
  const call = { signal: sending.signal }
  const request = {
    upload_size: entry.size,
    upload_checksum: entry.checksum,
    upload_name: lastPart(entry.name),
    destination_location: entry.name,
    // The older program says these two the wrong way round, and its source is never told (librarian Q10).
    uploader: entry.uploader,
    source: manifest.librarian_name,
    source_transfer_id: entry.outgoing_transfer_id,
  }
  const staged = await clone.stage(request, call).catch((error: unknown) => {
    if (error instanceof LibrarianError && error.code === 'FileExists') return undefined
    throw error
  })
  if (!staged) return 'present'
  const { source_transfer_id, destination_transfer_id } = staged
  const ids = { source_transfer_id, destination_transfer_id }
  const method = await chooseMethod(item, staged)
  await clone.ongoing(ids, call)
  await sendBytes(librarian, item, staged.staging_location, method, {
    ...sending,
    isContinued: false,
  })
  await clone.staged(ids, call)
  return 'staged'
}
