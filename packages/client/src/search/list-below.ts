/** What lies at a path: of a tree its members, of anything else the names below, level by level or all of them. */
import { LibrarianError } from '@arriero/api'
import { listTree, type TreeListing } from '../download/entries.ts'
import { findCopies, type Located } from '../download/find-copies.ts'
import { locate } from '../download/locate.ts'
import type { Librarian } from '../librarian.ts'
import { type CopyCount, countCopies } from './copy-count.ts'
import { searchFiles } from './search-files.ts'

/** A file, tree or directory below a path. */
export interface Listed {
  /** Whole, as `download` takes it. A directory is only a part of names. */
  readonly name: string
  readonly kind: 'file' | 'tree' | 'directory'
  /** Bytes; of a directory, of all that lies below. */
  readonly size: number
  /** Wire form; of a directory: undefined. */
  readonly checksum: string | undefined
  /** Of a directory: how many files and trees lie below. */
  readonly files: number | undefined
  /** Of a file or tree of its own; of a directory, and of what is in a tree: undefined. */
  readonly copies: CopyCount | undefined
}

/** Options of `listBelow()`. */
export interface ListBelowOptions {
  /** Everything below: by name, or, of more than 100,000, as it is found. Default: one level, by name. */
  readonly isRecursive?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The librarian has no call for one level, so that all names below are gone through: of millions that takes minutes.
 *
 * @param path a name, the beginning of names up to a slash, or a directory in a tree; empty: everything
 * @throws LibrarianError NotFound
 */
export async function* listBelow(
  librarian: Librarian,
  path: string,
  { isRecursive = false, signal }: ListBelowOptions = {},
): AsyncGenerator<Listed, void, undefined> {
  const base = path.replace(/\/+$/, '')
  const all = await entriesAt(librarian, base, signal)
  if (isRecursive) yield* sortedWhileFew(all)
  else yield* await levelOf(all, base)
}

async function entriesAt(
  librarian: Librarian,
  base: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Listed>> {
  const found = base === '' ? undefined : await locateOrNothing(librarian, base, signal)
  if (found?.file.kind === 'tree') return membersBelow(await listTree(found, signal), found.file.name, '')
  if (found) return one(found)
  const within = await treeAround(librarian, base, signal)
  if (within) {
    const inside = base.slice(within.file.name.length + 1)
    return required(membersBelow(await listTree(within, signal), within.file.name, inside), base)
  }
  const below = namesBelow(librarian, base, signal)
  return base === '' ? below : required(below, base)
}

async function locateOrNothing(librarian: Librarian, name: string, signal: AbortSignal | undefined) {
  return locate([librarian], name, signal).catch(nothingIfNotFound)
}

/** The tree that a path leads into. */
async function treeAround(librarian: Librarian, path: string, signal: AbortSignal | undefined) {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const found = await findCopies([librarian], path.slice(0, at), signal).catch(nothingIfNotFound)
    if (found) return found.file.kind === 'tree' ? found : undefined
  }
  return undefined
}

function nothingIfNotFound(error: unknown): undefined {
  if (error instanceof LibrarianError && error.code === 'NotFound') return undefined
  throw error
}

async function* one({ file }: Located): AsyncGenerator<Listed> {
  yield fileOf(file)
}

async function* membersBelow(
  { members, directories }: TreeListing,
  tree: string,
  inside: string,
): AsyncGenerator<Listed> {
  const start = inside === '' ? '' : `${inside}/`
  const isEmptyDirectory = (path: string) => !members.some(member => member.path.startsWith(`${path}/`))
  for (const path of directories) {
    // Those that hold something show by what they hold.
    if (path.startsWith(start) && isEmptyDirectory(path)) yield directoryOf(`${tree}/${path}`, 0, 0)
  }
  for (const { path, size, sha256 } of members) {
    if (!path.startsWith(start)) continue
    yield {
      name: `${tree}/${path}`,
      kind: 'file',
      size,
      checksum: `sha256:::${sha256}`,
      files: undefined,
      copies: undefined,
    }
  }
}

async function* namesBelow(
  librarian: Librarian,
  base: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Listed> {
  const start = base === '' ? '' : `${base}/`
  for await (const file of searchFiles(librarian, start === '' ? {} : { name: `${start}**` }, { signal })) {
    // A star in the base itself would stand for more.
    if (file.name.startsWith(start)) yield fileOf(file)
  }
}

function fileOf(file: Located['file']): Listed {
  const { name, kind = 'file', size, checksum } = file
  return { name, kind, size: size ?? 0, checksum: checksum ?? undefined, files: undefined, copies: countCopies(file) }
}

function directoryOf(name: string, size: number, files: number): Listed {
  return { name, kind: 'directory', size, checksum: undefined, files, copies: undefined }
}

async function* required(listed: AsyncIterable<Listed>, base: string): AsyncGenerator<Listed> {
  let isEmpty = true
  for await (const each of listed) {
    isEmpty = false
    yield each
  }
  if (!isEmpty) return
  throw new LibrarianError('NotFound', `Cannot list ${base}: no name is this one or lies below it.`, {
    remedy: 'Check the name; `arriero search` takes * and ?.',
  })
}

/** As many are put in order; of more, the memory would be the problem. */
const MOST_SORTED = 100_000

async function* sortedWhileFew(all: AsyncIterable<Listed>): AsyncGenerator<Listed> {
  let held: Listed[] | undefined = []
  for await (const each of all) {
    if (!held) {
      yield each
      continue
    }
    held.push(each)
    if (held.length <= MOST_SORTED) continue
    yield* held
    held = undefined
  }
  if (held) yield* held.sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** What shows at one level: files and trees as they are, and one line for all that lies deeper in one directory. */
async function levelOf(all: AsyncIterable<Listed>, base: string): Promise<Listed[]> {
  const start = base === '' ? '' : `${base}/`
  const shown = new Map<string, Listed>()
  for await (const each of all) {
    const rest = each.name.startsWith(start) ? each.name.slice(start.length) : ''
    const end = rest.indexOf('/')
    if (end < 0) {
      shown.set(each.name, each)
      continue
    }
    const name = start + rest.slice(0, end)
    const known = shown.get(name)
    const files = (known?.files ?? 0) + (each.files ?? 1)
    shown.set(name, directoryOf(name, (known?.size ?? 0) + each.size, files))
  }
  return [...shown.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}
