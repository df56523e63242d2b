/**
 * Fetches a tree as the archive that its members make: where each of its bytes comes from is known beforehand, so a transfer that
 * broke off goes on where it was. Small members come many together, large ones by the engine.
 */
import { LibrarianError } from '@arriero/api'
import { type ArchiveEntry, ArchivePlan, type Engine, iterate } from '@arriero/transfer'
import { z } from 'zod'
import type { IncomingTransfer } from '../../../catalogue/operations/uploads.ts'
import { MOST_MEMBERS } from '../../../stores/archive-members.ts'
import { keepsNoTrees } from '../../../stores/refusals.ts'
import type { SiteStore } from '../../../stores/stores.ts'
import type { CommitOrigin } from '../../commit/commits.ts'
import type { PeerConnection } from '../../peer-connections.ts'
import { dataUrl, headersFor } from './addresses.ts'
import type { Arrived, Wanted } from './fetch-bundle.ts'
import { fetchSmall } from './fetch-small.ts'
import type { Link, Watched } from './link.ts'
import { overLink } from './over-link.ts'
import type { PeerRequests } from './peer-requests.ts'
import { type Begin, readAhead } from './read-ahead.ts'

export interface FetchTreeOptions {
  readonly peer: PeerConnection
  readonly requests: PeerRequests
  readonly engine: Engine
  readonly link: Link
  readonly signal: AbortSignal
}

const listing = z.object({
  kind: z.literal('tree'),
  size: z.int().nonnegative(),
  directories: z.array(z.string()).max(MOST_MEMBERS),
  members: z
    .array(z.object({ path: z.string(), size: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .max(MOST_MEMBERS),
})

type Listing = z.output<typeof listing>

interface Entry extends ArchiveEntry {
  readonly sha256: string
}

/** Members up to this size come in bundles. */
const SMALL = 1 << 20
/** Of a bundle. */
const MOST_FILES = 512
const MOST_BYTES = 8 << 20
/** Of a large member, ahead of what is put away: the one whose turn it is gets the most of the link. */
const AHEAD = 16 << 20
/** Bundles, or large members, at once. */
const AT_ONCE = 2
/** Of a list of members. */
const MOST_LISTING = 256 << 20

/** Whether what the sender keeps under a name is a tree; undefined: it cannot be told. */
export async function findTree(name: string, options: FetchTreeOptions): Promise<Listing | undefined> {
  const { link, signal } = options
  const text = await overLink(link, signal, watched => readListing(name, options, watched))
  if (text === undefined) return undefined
  const parsed = listing.safeParse(JSON.parse(text))
  if (parsed.success) return parsed.data
  throw new LibrarianError('BadAnswer', `Cannot read the members of ${name}: the answer is no list of them`)
}

async function readListing(
  name: string,
  { requests }: FetchTreeOptions,
  watched: Watched,
): Promise<string | undefined> {
  const response = await requests.send(dataUrl(requests.address, name), { signal: watched.signal })
  if (response.statusCode !== 200 || response.headers['content-type'] !== 'application/json') {
    response.destroy()
    return undefined
  }
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    watched.beat()
    length += piece.length
    if (length > MOST_LISTING) throw new LibrarianError('BadAnswer', `Cannot read the members of ${name}: too many`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

/** @returns from where it may be committed */
export async function fetchTree(
  transfer: IncomingTransfer,
  tree: Listing,
  { name, store }: SiteStore,
  options: FetchTreeOptions,
): Promise<CommitOrigin> {
  const { token, store_path, staging_path, transfer_size } = transfer
  if (!store.capabilities.hasTrees) throw keepsNoTrees(name)
  const size = tree.members.reduce((sum, member) => sum + member.size, 0)
  if (size !== transfer_size) {
    const message = `Cannot take ${store_path}: ${transfer_size} bytes were announced, its members have ${size}`
    throw new LibrarianError('Mismatch', message)
  }
  const plan = new ArchivePlan(entriesOf(tree))
  const state = await store.state()
  if (state.available && state.free < plan.size) {
    throw new LibrarianError('NoSpace', `Cannot take ${store_path}: store ${name} has no room to unpack it`)
  }
  // Nobody asks for the archive's own digest.
  await using spool = await store.openSpool(token, { functions: [] })
  if (spool.offset < plan.size) {
    await spool.append(bytesOf(plan, spool.offset, store_path, options), { signal: options.signal })
  }
  if (spool.offset !== plan.size) throw new LibrarianError('Busy', `The transfer of ${store_path} broke off`)
  return { from: 'spool', id: token, archive: 'tar', stagingId: staging_path ?? undefined }
}

function entriesOf({ directories, members }: Listing): Entry[] {
  const byPath = (a: string, b: string) => (a < b ? -1 : 1)
  return [
    // A directory before what is in it.
    ...directories.toSorted(byPath).map(path => ({ path, type: 'directory' as const, size: 0, sha256: '' })),
    ...members
      .toSorted((a, b) => byPath(a.path, b.path))
      .map(({ path, size, sha256 }) => ({ path, type: 'file' as const, size, sha256 })),
  ]
}

type Piece = { readonly bytes: Uint8Array } | { readonly entry: number; readonly start: number; readonly end: number }

function bytesOf(
  plan: ArchivePlan<Entry>,
  offset: number,
  tree: string,
  options: FetchTreeOptions,
): AsyncGenerator<Uint8Array> {
  const sources = windows(plan, offset).map((window): Begin<Uint8Array> => {
    return stop => bytesIn(window, plan, tree, { ...options, signal: AbortSignal.any([options.signal, stop]) })
  })
  return readAhead(sources, AT_ONCE)
}

async function* bytesIn(
  window: readonly Piece[],
  plan: ArchivePlan<Entry>,
  tree: string,
  options: FetchTreeOptions,
): AsyncGenerator<Uint8Array> {
  const small = window.flatMap(piece => ('entry' in piece && isSmall(plan, piece.entry) ? [piece.entry] : []))
  const fetched = await fetchSmallMembers([...new Set(small)], plan, tree, options)
  for (const piece of window) {
    if ('bytes' in piece) yield piece.bytes
    else if (isSmall(plan, piece.entry)) yield fetched.get(piece.entry)!.subarray(piece.start, piece.end)
    else yield* largeMember(plan.entries[piece.entry]!, piece, tree, options)
  }
}

function isSmall(plan: ArchivePlan<Entry>, entry: number): boolean {
  return plan.entries[entry]!.size <= SMALL
}

/** Pieces in order, cut so that the small members of each go into one bundle. */
function* windows(plan: ArchivePlan<Entry>, offset: number): Generator<Piece[]> {
  let window: Piece[] = []
  let files = 0
  let bytes = 0
  for (const piece of plan.parts(offset, plan.size)) {
    window.push(piece)
    if (!('entry' in piece)) continue
    files++
    bytes += isSmall(plan, piece.entry) ? plan.entries[piece.entry]!.size : MOST_BYTES
    if (files < MOST_FILES && bytes < MOST_BYTES) continue
    yield window
    ;[window, files, bytes] = [[], 0, 0]
  }
  if (window.length > 0) yield window
}

async function fetchSmallMembers(
  entries: readonly number[],
  plan: ArchivePlan<Entry>,
  tree: string,
  options: FetchTreeOptions,
): Promise<Map<number, Uint8Array>> {
  const fetched = new Map<number, Uint8Array>()
  const wanted = entries.map((entry): Wanted => {
    const { path, size } = plan.entries[entry]!
    return { name: `${tree}/${path}`, size }
  })
  const onFile = async (index: number, arrived: Arrived) => {
    if (typeof arrived === 'string') throw new LibrarianError('Mismatch', `${wanted[index]!.name} is not as listed`)
    fetched.set(entries[index]!, arrived)
  }
  const onMissing = async (_: number, error: unknown) => {
    throw error
  }
  await fetchSmall(wanted, { ...options, onFile, onMissing })
  return fetched
}

async function* largeMember(
  { path, size, sha256 }: Entry,
  { start, end }: { readonly start: number; readonly end: number },
  tree: string,
  { peer, engine, signal }: FetchTreeOptions,
): AsyncGenerator<Uint8Array> {
  const isWhole = start === 0 && end === size
  const what = isWhole ? { checksums: [`sha256:${sha256}`] } : { range: { start, end } }
  const url = dataUrl(peer.connection.address, `${tree}/${path}`)
  const headers = headersFor(peer)
  yield* iterate(url, { engine, signal, headers, size, copy: true, readAhead: AHEAD, ...what })
}
