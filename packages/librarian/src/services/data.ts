/**
 * Finds what a path means, and opens the bytes: only from a copy whose last full read was good (reliability C2), and that has
 * not been touched since, or has been read again.
 */
import { type Instant, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { type FoundCopy, type FoundFile, isBad } from '../catalogue/operations/serving.ts'
import type { CopyState } from '../catalogue/schema.ts'
import type { OpenFile } from '../stores/store.ts'
import type { SiteStore, Stores } from '../stores/stores.ts'
import type { CopyReader } from './copies/read-copies.ts'
import { MemberCache } from './data/member-cache.ts'
import type { TreeContents, TreeMembers } from './data/tree-members.ts'

export interface DataOptions {
  readonly catalogue: Pick<Catalogue, 'serving'>
  readonly stores: Stores
  readonly reader: CopyReader
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
  /** Where they were asked for together; default: they are asked for when it is opened. */
  readonly copies?: readonly FoundCopy[] | undefined
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
  /** All of them, those with nothing in them too. */
  readonly directories: readonly string[]
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
  /** Small files at a fraction of the price of `open`; of those that are not in the answer `open` says why, or has them. */
  readWhole(found: readonly DataFile[], room?: SharedArrayBuffer): Promise<ReadonlyMap<DataFile, Uint8Array>>

  /** @throws LibrarianError NotFound */
  find(path: string): Promise<DataFile | DataTree>
  /** As `find`, many at the price of a few; in order, with an error for what cannot be found. */
  findMany(paths: readonly string[]): Promise<(DataFile | DataTree | LibrarianError)[]>
  /** @throws LibrarianError `NoGoodCopy`; `StoreUnavailable` or `Busy`, which may be better later */
  open(found: DataFile): Promise<OpenData>
}

export function createData({ catalogue, stores, reader, patienceMs = 10_000 }: DataOptions): Data {
  const members = new MemberCache({ read: name => catalogue.serving.manifest({ name }) })
  return {
    find: path => find(path, catalogue, members),
    findMany: paths => findMany(paths, catalogue, members),
    readWhole: (found, room) => readWhole(found, stores, room),
    async open(found) {
      const copies = await copiesOf(found, catalogue, stores)
      return (await firstThatOpens(found, copies, reader)) ?? (await readFirst(found, copies, reader, patienceMs))
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
  const contents = await cache.of(file.name, `${file.name}\n${sha256}`)
  if (file.member === undefined) {
    const digests: Digests = sha256 === null ? {} : { sha256 }
    return { kind: 'tree', path, size, digests, checksum, created, ...contents }
  }
  const member = contents.members.get(file.member)
  if (!member) return directoryOf(path, file.member, { ...contents, created }) ?? fail(notFound(path))
  return { kind: 'file', path, size: member.size, digests: { sha256: member.sha256 }, created, file }
}

async function findMany(
  paths: readonly string[],
  catalogue: DataOptions['catalogue'],
  cache: MemberCache,
): Promise<(DataFile | DataTree | LibrarianError)[]> {
  const known = new Map((await catalogue.serving.many({ names: paths })).map(file => [file.name, file]))
  const found: (DataFile | DataTree | LibrarianError)[] = []
  for (const path of paths) {
    const file = known.get(path)
    if (file?.kind === 'file') {
      const { size, create_time: created, copies } = file
      found.push({ kind: 'file', path, size, digests: digestsOf(file), created, file, copies })
      continue
    }
    // Trees, and members of trees: one manifest serves all that are asked for of it.
    found.push(
      await find(path, catalogue, cache).catch((error: unknown) => {
        if (error instanceof LibrarianError) return error
        throw error
      }),
    )
  }
  return found
}

/** From the first copy that was good when it was read last, where it is as it was then. */
async function readWhole(
  found: readonly DataFile[],
  stores: Stores,
  room?: SharedArrayBuffer,
): Promise<ReadonlyMap<DataFile, Uint8Array>> {
  const wanted = found.flatMap(file => {
    const copy = file.copies?.find(({ state }) => state === 'ok')
    const place = copy && file.file.member === undefined ? stores.byId(copy.store_id) : undefined
    return copy && place ? [{ file, copy, place }] : []
  })
  const read = new Map<DataFile, Uint8Array>()
  const byPlace = Map.groupBy(wanted, ({ place }) => place)
  for (const [{ store }, group] of byPlace) {
    const asked = group.map(({ file: { file, size } }) => ({ name: file.name, size }))
    const wholes = await store.readWhole(asked, byPlace.size === 1 ? room : undefined)
    for (const [index, { file, copy }] of group.entries()) {
      const whole = wholes[index]
      const isAsItWas = copy.fingerprint === null || copy.fingerprint === whole?.fingerprint
      if (whole && isAsItWas) read.set(file, whole.bytes)
    }
  }
  return read
}

/** What lies below a directory within a tree, named from there. */
function directoryOf(
  path: string,
  directory: string,
  { members, directories, created }: TreeContents & Pick<DataTree, 'created'>,
): DataTree | undefined {
  const start = `${directory}/`
  const inside = [...members.values()]
    .filter(member => member.path.startsWith(start))
    .map(member => ({ ...member, path: member.path.slice(start.length) }))
  if (inside.length === 0 && !directories.includes(directory)) return undefined
  const size = inside.reduce((sum, member) => sum + member.size, 0)
  return {
    kind: 'tree',
    path,
    size,
    digests: {},
    checksum: undefined,
    created,
    members: new Map(inside.map(member => [member.path, member])),
    directories: directories.filter(each => each.startsWith(start)).map(each => each.slice(start.length)),
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

/** A copy of a file at a store of ours. */
interface Copy {
  readonly file: FoundFile
  readonly copy: FoundCopy
  readonly place: SiteStore
}

interface Copies {
  /** Good when they were read last. */
  readonly good: readonly Copy[]
  /** Nobody has read them yet: after a rebuild, or where the librarian was told of them. */
  readonly unchecked: readonly Copy[]
  /** Found bad. Where they are read again just now, that reading decides. */
  readonly bad: readonly Copy[]
}

async function copiesOf(found: DataFile, catalogue: DataOptions['catalogue'], stores: Stores): Promise<Copies> {
  const rows = found.copies ?? (await catalogue.serving.copies({ name: found.file.name }))
  const copies = rows.flatMap(copy => {
    const place = stores.byId(copy.store_id)
    return place ? [{ file: found.file, copy, place }] : []
  })
  return {
    good: copies.filter(({ copy }) => copy.state === 'ok'),
    unchecked: copies.filter(({ copy }) => copy.state === 'never-checked'),
    bad: copies.filter(({ copy }) => isBad(copy.state)),
  }
}

/** Undefined: none that is as it was when it was read last. */
async function firstThatOpens(found: DataFile, { good }: Copies, reader: CopyReader): Promise<OpenData | undefined> {
  for (const copy of good) {
    const opened = await tryOpen(found, copy, reader)
    if (!opened) continue
    if (isAsRead(copy, opened)) return openData(found, copy, opened, reader)
    await opened[Symbol.asyncDispose]()
  }
  return undefined
}

/** Of a member nothing is known but the tree's own fingerprint, which only a walk over the tree would tell. */
function isAsRead({ copy, file }: Copy, opened: OpenFile): boolean {
  return file.member !== undefined || copy.fingerprint === null || copy.fingerprint === opened.fingerprint
}

async function tryOpen(found: DataFile, copy: Copy, reader: CopyReader): Promise<OpenFile | undefined> {
  const { place, file } = copy
  let opened: OpenFile
  try {
    opened = await place.store.open(file.name, file.member)
  } catch (error) {
    // A disk that is not there says nothing about the copy (B4).
    if (isCode(error, 'StoreUnavailable')) return undefined
    const what = isCode(error, 'NotFound') ? 'missing' : 'unreadable'
    reader.doubt(file, copy.copy, { state: what, reason: describe(error) })
    return undefined
  }
  if (opened.size === found.size) return opened
  await opened[Symbol.asyncDispose]()
  const reason = `${found.path} has ${opened.size} bytes, and must have ${found.size}`
  reader.doubt(file, copy.copy, { state: 'mismatch', reason })
  return undefined
}

/**
 * None is as a full read has found it: those that were touched since, and those that nobody has read yet, are read before
 * anybody gets a byte of them. A copy that is only doubted, and being read again, is waited for.
 */
async function readFirst(found: DataFile, copies: Copies, reader: CopyReader, patienceMs: number): Promise<OpenData> {
  const { good, unchecked, bad } = copies
  const met: CopyState[] = []
  for (const copy of [...good, ...unchecked, ...bad]) {
    if (!(await isThere(copy.place))) {
      met.push(isBad(copy.copy.state) ? copy.copy.state : 'unavailable')
      continue
    }
    const asked = isBad(copy.copy.state) ? reader.underWay(copy.copy) : reader.read(copy.file, copy.copy)
    const reading = asked ? await within(patienceMs, asked) : copy.copy
    if (reading === undefined) throw stillReading(found, copy)
    const opened = reading.state === 'ok' ? await tryOpen(found, copy, reader) : undefined
    if (opened) return openData(found, copy, opened, reader)
    // What is right and cannot be opened may be on a disk that is just going away.
    met.push(reading.state === 'ok' ? 'unavailable' : reading.state)
  }
  throw unservable(found, met)
}

function stillReading({ path, file }: DataFile, { copy }: Copy): LibrarianError {
  const why = copy.state === 'never-checked' ? 'is being read for the first time' : 'is being read again'
  return new LibrarianError('Busy', `Cannot send ${path} yet: its copy ${why}`, {
    remedy: `Try again in a while; \`arriero validate ${file.name}\` waits until it has been read.`,
    retryAfterSeconds: 30,
  })
}

async function isThere({ store }: SiteStore): Promise<boolean> {
  return (await store.state()).available
}

/** A disk may come back by itself: worth another try. Bytes that were read and are wrong do not mend themselves. */
function unservable({ path, file }: DataFile, met: readonly CopyState[]): LibrarianError {
  const states = met.length === 0 ? 'there is none at this site that is in use' : `recorded as ${met.join(', ')}`
  const mayComeBack = met.includes('unavailable')
  const what = `Cannot send ${path}: a copy must be there and be right, ${states}`
  const remedy = `Ask the operator to look at \`arriero validate ${file.name}\`, which reads every copy and says what is wrong with it.`
  return mayComeBack
    ? new LibrarianError('StoreUnavailable', what, { remedy, retryAfterSeconds: 60 })
    : new LibrarianError('NoGoodCopy', what, { remedy })
}

function openData(found: DataFile, copy: Copy, opened: OpenFile, reader: CopyReader): OpenData {
  const { store } = copy.place
  return {
    opened,
    async isUnchanged() {
      await using now = await store.open(copy.file.name, copy.file.member)
      return now.fingerprint === opened.fingerprint
    },
    doubt: error => {
      if (isCode(error, 'StoreUnavailable')) return
      reader.doubt(copy.file, copy.copy, { state: 'unreadable', reason: `${found.path}: ${describe(error)}` })
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
