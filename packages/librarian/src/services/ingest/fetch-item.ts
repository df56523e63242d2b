/**
 * One item: announced as an upload of the job's owner, fetched by the engine into the upload's spool, committed like any
 * other. Everything can be done again: a transfer that is open is gone on with, one that is committed is done.
 */
import { basename } from 'node:path/posix'
import { LibrarianError } from '@arriero/api'
import { download, type Engine, type FetchOptions, probe, TransferError } from '@arriero/transfer'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { roomHeldSeconds } from '../../catalogue/limits.ts'
import type { JobItem } from '../../catalogue/operations/jobs.ts'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { Stores } from '../../stores/stores.ts'
import { writeNotes } from '../byte-uploads/notes.ts'
import { httpProvider } from '../byte-uploads/provider.ts'
import type { Uploads } from '../uploads/uploads.ts'
import { type IngestEntry, type IngestRequest, readEntry } from './rows.ts'

export interface FetchItemOptions {
  readonly catalogue: Pick<Catalogue, 'uploads' | 'byteUploads' | 'serving'>
  readonly stores: Stores
  readonly uploads: Uploads
  readonly engine: Engine
  readonly now: () => number
}

export interface ItemTask {
  readonly item: JobItem
  readonly request: IngestRequest
  readonly owner: string
  /** How sources are asked: credentials of the settings. */
  readonly source: Partial<FetchOptions>
  readonly signal: AbortSignal
  /** Written down before a byte is fetched. */
  readonly note: (entry: IngestEntry) => Promise<void>
}

export type ItemOutcome =
  | { readonly status: 'done' | 'exists'; readonly bytes: number }
  | { readonly status: 'failed'; readonly reason: string; readonly isRetriable: boolean }

/** Rejects only with the signal's reason, or when our own side failed. */
export async function fetchItem(task: ItemTask, options: FetchItemOptions): Promise<ItemOutcome> {
  try {
    return await attempt(task, options)
  } catch (error) {
    task.signal.throwIfAborted()
    if (error instanceof LibrarianError) {
      return { status: 'failed', reason: error.message, isRetriable: error.isRetriable }
    }
    if (error instanceof TransferError) {
      return { status: 'failed', reason: error.message, isRetriable: error.retriable }
    }
    throw error
  }
}

async function attempt(task: ItemTask, options: FetchItemOptions): Promise<ItemOutcome> {
  const { item, owner, request } = task
  const entry = readEntry(item.entry)
  const there = await isThere(item.name, entry, options)
  if (there) return { status: 'exists', bytes: 0 }
  const transfer = (await knownTransfer(entry, options)) ?? (await announce(task, entry, options))
  if (transfer.status === 'COMPLETED') return { status: 'done', bytes: 0 }
  const bytes = await fetchBytes(task, entry, transfer, options)
  const caller = { name: owner, level: 'READAPPEND' } as const
  const { deletionPolicy } = request
  const { outcome } = await options.uploads.commit(
    { transferId: transfer.id, provider: httpProvider.name, deletionPolicy },
    caller,
  )
  return { status: outcome === 'same' ? 'exists' : 'done', bytes }
}

/** Nothing is fetched that is kept already; the same name with another digest is refused by the announcement. */
async function isThere(name: string, { checksum }: IngestEntry, { catalogue }: FetchItemOptions): Promise<boolean> {
  const file = checksum === undefined ? undefined : await catalogue.serving.find({ path: name })
  return file?.member === undefined && file?.checksum === checksum && file !== undefined
}

/** Of an earlier attempt; undefined where that one ended. */
async function knownTransfer(
  { transferId }: IngestEntry,
  { catalogue }: FetchItemOptions,
): Promise<IncomingTransfer | undefined> {
  const transfer = transferId === undefined ? undefined : await catalogue.uploads.get({ id: transferId })
  return transfer?.status === 'FAILED' || transfer?.status === 'CANCELLED' ? undefined : transfer
}

async function announce(task: ItemTask, entry: IngestEntry, options: FetchItemOptions): Promise<IncomingTransfer> {
  const { item, owner, request, note } = task
  const { checksum } = entry
  const size = entry.size ?? (await sizeOf(task, entry, options))
  const attested = checksum === undefined ? { checksum: undefined, isUnattested: true } : { checksum }
  const staged = await options.uploads.stage(
    { ...attested, size, name: item.name, uploadName: basename(item.name), uploader: request.uploader },
    { name: owner, level: 'READAPPEND' },
  )
  await note({ ...entry, size, transferId: staged.transfer.id })
  return staged.transfer
}

async function sizeOf(
  { source, signal, item }: ItemTask,
  { uris }: IngestEntry,
  { engine }: FetchItemOptions,
): Promise<number> {
  let failure: unknown
  for (const uri of uris) {
    try {
      const { size } = await probe(uri, { ...source, engine, signal })
      if (size !== undefined) return size
    } catch (error) {
      signal.throwIfAborted()
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  throw new LibrarianError('BadRequest', `Cannot fetch ${item.name}: its source must say how many bytes it has`, {
    remedy: 'Say the size in the entry.',
  })
}

async function fetchBytes(
  { source, signal }: ItemTask,
  entry: IngestEntry,
  transfer: IncomingTransfer,
  { catalogue, stores, engine, now }: FetchItemOptions,
): Promise<number> {
  const place = transfer.store_id === null ? undefined : stores.byId(transfer.store_id)
  if (!place) throw new LibrarianError('StoreUnavailable', `Cannot reach the store of transfer ${transfer.id}`)
  // Under way: not one that was only announced, and is given up or loses its room for it.
  const note = () => catalogue.byteUploads.note({ id: transfer.id, data: writeNotes({ active: now() }) })
  await note()
  using _ = every(roomHeldSeconds * 250, () => void note().catch(() => {}))
  // What an earlier attempt had fetched whole, and a kill kept from being committed, is looked at before it is fetched again.
  await using spool = await place.store.openSpool(transfer.token, { keepsLater: true })
  const [uri = '', ...mirrors] = entry.uris
  const result = await download(uri, spool.path, {
    ...source,
    engine,
    signal,
    mirrors,
    size: transfer.transfer_size,
    checksums: [...(entry.checksums ?? []), ...wireChecksum(entry)],
    // What is there is the empty spool, or what an earlier attempt had fetched.
    ifExists: 'repair',
  })
  return result.networkBytes
}

function every(ms: number, act: () => void): Disposable {
  const timer = setInterval(act, ms).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** In the engine's spelling: what the wire calls xxh3 is the one of 128 bits. */
function wireChecksum({ checksum }: IngestEntry): string[] {
  if (checksum === undefined) return []
  const [before = '', after] = checksum.split(':::')
  if (after === undefined) return [`md5:${before}`]
  return [`${before === 'xxh3' ? 'xxh128' : before}:${after}`]
}
