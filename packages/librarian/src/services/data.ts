/**
 * Finds what a path means, and opens the bytes: only from a copy whose last full read was good (reliability C2), and that has
 * not been touched since, or has been read again.
 */
import { type Instant, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { FoundFile } from '../catalogue/operations/serving.ts'
import type { CopyState } from '../catalogue/schema.ts'
import type { OpenFile } from '../stores/store.ts'
import type { SiteStore, Stores } from '../stores/stores.ts'
import { MemberCache } from './data/member-cache.ts'
import type { Copy, Rereads } from './data/rereads.ts'
import type { TreeMembers } from './data/tree-members.ts'

export interface DataOptions {
  readonly catalogue: Pick<Catalogue, 'serving'>
  readonly stores: Stores
  readonly rereads: Rereads
  /** How long a caller waits for a copy that must be read again first; ms. Default 10,000. */
  readonly patienceMs?: number | undefined
}

/** Hex by algorithm: `sha256` where it is known, and what the sender's checksum says. */
export type Digests = Readonly<Record<string, string>>

export interface DataFile {
  readonly kind: 'file'
  /** As it was asked for: the name, or tree and member. */
  readonly path: string
  readonly size: number
  readonly digests: Digests
  /** When it was ingested here. */
  readonly created: Instant
  readonly file: FoundFile
}

export interface DataTree {
  readonly kind: 'tree'
  readonly path: string
  readonly size: number
  readonly digests: Digests
  /** Wire form; undefined: a directory within a tree, of which nobody has one. */
  readonly checksum: string | undefined
  readonly created: Instant
  readonly members: TreeMembers
}

/** Bytes that may be sent. */
export interface OpenData extends AsyncDisposable {
  readonly opened: OpenFile
  /** Whether the bytes still are those that were opened: asked before the last of them are sent. */
  isUnchanged(): Promise<boolean>
  /** They cannot be read, or were changed: recorded, and the copy is read again. */
  doubt(error: unknown): void
}

export interface Data {
  /** @throws LibrarianError NotFound */
  find(path: string): Promise<DataFile | DataTree>
  /** @throws LibrarianError StoreUnavailable, Busy */
  open(found: DataFile): Promise<OpenData>
}

export function createData({ catalogue, stores, rereads, patienceMs = 10_000 }: DataOptions): Data {
  const members = new MemberCache({ read: name => catalogue.serving.manifest({ name }) })
  return {
    find: path => find(path, catalogue, members),
    async open(found) {
      const copies = await goodCopies(found, catalogue, stores)
      return (await firstThatOpens(found, copies, rereads)) ?? (await readAgain(found, copies, rereads, patienceMs))
    },
  }
}

async function find(
  path: string,
  catalogue: DataOptions['catalogue'],
  cache: MemberCache,
): Promise<DataFile | DataTree> {
  const file = await catalogue.serving.find({ path })
  if (!file) throw notFound(path)
  const { size, sha256, create_time: created, checksum } = file
  if (file.kind === 'file') return { kind: 'file', path, size, digests: digestsOf(file), created, file }
  const members = await cache.of(file.name, `${file.name}\n${sha256}`)
  if (file.member === undefined) {
    return { kind: 'tree', path, size, digests: sha256 === null ? {} : { sha256 }, checksum, created, members }
  }
  const member = members.get(file.member)
  if (!member) return directoryOf(path, file.member, { members, created }) ?? fail(notFound(path))
  return { kind: 'file', path, size: member.size, digests: { sha256: member.sha256 }, created, file }
}

/** What lies below a directory within a tree, named from there. */
function directoryOf(
  path: string,
  directory: string,
  { members, created }: Pick<DataTree, 'members' | 'created'>,
): DataTree | undefined {
  const start = `${directory}/`
  const inside = [...members.values()]
    .filter(member => member.path.startsWith(start))
    .map(member => ({ ...member, path: member.path.slice(start.length) }))
  if (inside.length === 0) return undefined
  const size = inside.reduce((sum, member) => sum + member.size, 0)
  return {
    kind: 'tree',
    path,
    size,
    digests: {},
    checksum: undefined,
    created,
    members: new Map(inside.map(member => [member.path, member])),
  }
}

function fail(error: Error): never {
  throw error
}

function notFound(path: string): LibrarianError {
  return new LibrarianError('NotFound', `Cannot find ${path}: there is no file or tree of this name`)
}

/** Of a file only: a tree's checksum is over its members' (librarian 6.3), which is no digest of any bytes. */
function digestsOf({ checksum, sha256 }: FoundFile): Digests {
  const [before, after] = checksum.split(':::')
  const stated: Digests = after === undefined ? { md5: checksum } : { [before as string]: after }
  return sha256 === null ? stated : { ...stated, sha256 }
}

interface GoodCopies {
  readonly copies: readonly Copy[]
  /** States of the others, for the message. */
  readonly others: readonly CopyState[]
}

async function goodCopies(found: DataFile, catalogue: DataOptions['catalogue'], stores: Stores): Promise<GoodCopies> {
  const rows = await catalogue.serving.copies({ name: found.file.name })
  const copies = rows.flatMap(copy => {
    const place = copy.state === 'ok' ? stores.byId(copy.store_id) : undefined
    return place ? [{ file: found.file, copy, place }] : []
  })
  return { copies, others: rows.filter(({ state }) => state !== 'ok').map(({ state }) => state) }
}

/** Undefined: none that is as it was when it was read last. */
async function firstThatOpens(
  found: DataFile,
  { copies }: GoodCopies,
  rereads: Rereads,
): Promise<OpenData | undefined> {
  for (const copy of copies) {
    const opened = await tryOpen(found, copy, rereads)
    if (!opened) continue
    if (isAsRead(copy, opened)) return openData(found, copy, opened, rereads)
    await opened[Symbol.asyncDispose]()
  }
  return undefined
}

/** Of a member nothing is known but the tree's own fingerprint, which only a walk over the tree would tell. */
function isAsRead({ copy, file }: Copy, opened: OpenFile): boolean {
  return file.member !== undefined || copy.fingerprint === null || copy.fingerprint === opened.fingerprint
}

async function tryOpen(found: DataFile, copy: Copy, rereads: Rereads): Promise<OpenFile | undefined> {
  const { place, file } = copy
  let opened: OpenFile
  try {
    opened = await place.store.open(file.name, file.member)
  } catch (error) {
    // A disk that is not there says nothing about the copy (B4).
    if (isCode(error, 'StoreUnavailable')) return undefined
    const what = isCode(error, 'NotFound') ? 'missing' : 'unreadable'
    rereads.doubt(copy, what, describe(error))
    return undefined
  }
  if (opened.size === found.size) return opened
  await opened[Symbol.asyncDispose]()
  rereads.doubt(copy, 'mismatch', `${found.path} has ${opened.size} bytes, and must have ${found.size}`)
  return undefined
}

/** All that open were touched since they were read: one is read again before anybody gets a byte of it. */
async function readAgain(found: DataFile, good: GoodCopies, rereads: Rereads, patienceMs: number): Promise<OpenData> {
  for (const copy of good.copies) {
    if (!(await isThere(copy.place))) continue
    const state = await within(patienceMs, rereads.again(copy))
    if (state === undefined) {
      throw new LibrarianError('Busy', `Cannot send ${found.path} yet: its copy was touched and is being read again`, {
        retryAfterSeconds: 30,
      })
    }
    const opened = state === 'ok' ? await tryOpen(found, copy, rereads) : undefined
    if (opened) return openData(found, copy, opened, rereads)
  }
  throw unavailable(found, good)
}

async function isThere({ store }: SiteStore): Promise<boolean> {
  return (await store.state()).available
}

function unavailable(found: DataFile, { copies, others }: GoodCopies): LibrarianError {
  const states =
    others.length > 0 ? `, ${others.length} other${others.length > 1 ? 's are' : ' is'} ${others.join(', ')}` : ''
  return new LibrarianError(
    'StoreUnavailable',
    `Cannot send ${found.path}: a verified copy must be readable, of ${copies.length} none is${states}`,
    { retryAfterSeconds: 60 },
  )
}

function openData(found: DataFile, copy: Copy, opened: OpenFile, rereads: Rereads): OpenData {
  const { store } = copy.place
  return {
    opened,
    async isUnchanged() {
      await using now = await store.open(copy.file.name, copy.file.member)
      return now.fingerprint === opened.fingerprint
    },
    doubt: error => {
      if (!isCode(error, 'StoreUnavailable')) rereads.doubt(copy, 'unreadable', `${found.path}: ${describe(error)}`)
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

/** Undefined: it takes longer. */
async function within<T>(ms: number, waiting: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, ms, undefined)
  })
  try {
    return await Promise.race([waiting, late])
  } finally {
    clearTimeout(timer)
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof LibrarianError && error.code === code
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
