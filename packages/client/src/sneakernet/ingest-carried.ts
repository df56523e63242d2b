/**
 * Files from a carried disk into a librarian (librarian 11.7, step 3): announced as a clone from the librarian that sent the
 * disk, copied or sent, and handed over. Verified and kept is each by the librarian, in its own time.
 */
import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Progress, resolveTarget, TransferError } from '@arriero/transfer'
import type { Librarian } from '../librarian.ts'
import { type LocalItem, readItem } from '../upload/local-item.ts'
import type { ResumeRecords } from '../upload/resume-records.ts'
import type { CarriedEntry, CarriedManifest } from './carried-manifest.ts'
import { handOver } from './hand-over.ts'

/** Options of `ingestCarried()`. */
export interface IngestCarriedOptions {
  /** Where the names of the manifest are found. */
  readonly root: string
  /** Of earlier runs that were broken off: what they have announced is continued. */
  readonly records?: ResumeRecords | undefined
  readonly progress?: Progress | undefined
  readonly signal?: AbortSignal | undefined
}

/** What became of one file that was carried. */
export type CarriedOutcome =
  | { readonly ok: true; readonly entry: CarriedEntry; readonly status: 'kept' | 'staged' | 'present' }
  | { readonly ok: false; readonly entry: CarriedEntry; readonly error: unknown }

/** One after the other, as they stand on the disk; a failure of one does not stop the others. */
export async function* ingestCarried(
  librarian: Librarian,
  manifest: CarriedManifest,
  { root, records, progress = new Progress(), signal = new AbortController().signal }: IngestCarriedOptions,
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
      const carried = { ...entry, source: manifest.librarian_name, transferId: entry.outgoing_transfer_id }
      const status = await handOver(librarian, carried, item, { file, progress, signal, records })
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
