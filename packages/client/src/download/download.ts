/**
 * From librarians to a directory. A file goes through the engine as any other, with the catalogue's digest and every
 * librarian that keeps it as a mirror. A tree is fetched into a hidden directory beside its target, read once more against the
 * digest that its uploader gave, and only then has its name (reliability A1).
 */
import { lstat, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { checksumsMatch, LibrarianError, parseChecksum } from '@arriero/api'
import {
  digestPath,
  downloadAll,
  download as downloadFile,
  type Engine,
  type IfExists,
  makeDirectories,
  resolveTarget,
  TransferError,
} from '@arriero/transfer'
import type { Librarian } from '../librarian.ts'
import { explainedFetch, isAway, patienceWith } from './away.ts'
import { checksumOf, entriesOf, hooksFor, listTree, type TreeListing, urlsOf } from './entries.ts'
import type { Located } from './find-copies.ts'
import { locate } from './locate.ts'

/** Options of a download from librarians. */
export interface DownloadOptions {
  /** Every one that may have it, preferred first. */
  readonly librarians: readonly Librarian[]
  readonly engine: Engine
  /** What is done when a file is there. Default `verify`: the same content is success, other content an error. */
  readonly ifExists?: IfExists | undefined
  readonly signal?: AbortSignal | undefined
}

/** A file or tree that is there, and what was proven of it. */
export interface Downloaded {
  readonly name: string
  readonly kind: 'file' | 'tree'
  /** Absolute. */
  readonly path: string
  readonly size: number
  /** Wire form. */
  readonly checksum: string
  /** `skipped`: it was there already, and is the same. */
  readonly status: 'downloaded' | 'skipped'
}

/**
 * Fetches a file or tree from one or several librarians, verified before it has its name.
 *
 * @param target path of the file or tree; ends with `/` or is a directory: inside it, under the last part of the name
 */
export async function download(name: string, target: string, options: DownloadOptions): Promise<Downloaded> {
  const located = await locate(options.librarians, name, options.signal)
  return downloadLocated(located, await targetOf(name, target), options)
}

/** @param path of the file or tree */
export async function downloadLocated(located: Located, path: string, options: DownloadOptions): Promise<Downloaded> {
  if (!isProvable(located)) {
    const what = `Cannot fetch ${located.file.name}: its librarian states no size or checksum, so nothing could prove it.`
    throw new LibrarianError('Conflict', what)
  }
  const target = resolve(path)
  return located.file.kind === 'tree' ? downloadTree(located, target, options) : downloadOne(located, target, options)
}

export function isProvable({ file }: Located): boolean {
  return file.checksum !== null && file.size !== null
}

/** A directory that is there takes what is fetched inside. */
async function targetOf(name: string, target: string): Promise<string> {
  const inside = join(resolve(target), basename(name))
  if (target.endsWith('/')) return inside
  const stats = await stat(target).catch(() => undefined)
  return stats?.isDirectory() ? inside : resolve(target)
}

async function downloadOne(located: Located, path: string, options: DownloadOptions): Promise<Downloaded> {
  const { engine, signal, librarians, ifExists = 'verify' } = options
  const { file } = located
  const [first = '', ...mirrors] = urlsOf(located)
  const checksum = checksumOf(located)!
  makeDirectories(dirname(path))
  const fetched = downloadFile(first, path, {
    engine,
    signal,
    mirrors,
    size: file.size!,
    checksums: [checksum],
    requireChecksum: true,
    hooks: hooksFor(librarians),
    ifExists,
    ...patienceWith(located.holders),
  })
  const result = await fetched.catch(error => {
    throw explainedFetch(error, file.name)
  })
  return outcomeOf(located, 'file', path, result.status)
}

async function downloadTree(located: Located, path: string, options: DownloadOptions): Promise<Downloaded> {
  const { engine, signal, librarians } = options
  const listing = await listTree(located, signal)
  if (await exists(path)) {
    await proveTree(located, listing, path, options)
    return outcomeOf(located, 'tree', path, 'skipped')
  }
  // The engine keeps its own things in `hidden`: what becomes the tree lies one deeper.
  const hidden = join(dirname(path), `.${basename(path)}.arriero-part`)
  const tree = join(hidden, 'tree')
  makeDirectories(tree)
  // Names from outside: judged as those of the files are.
  for (const directory of listing.directories) makeDirectories(resolveTarget(tree, directory))
  const below = entriesOf(located, listing).map(member => ({ ...member, path: `tree/${member.path}` }))
  const run = downloadAll(below, {
    directory: hidden,
    engine,
    signal,
    requireChecksum: true,
    hooks: hooksFor(librarians),
    // What an earlier run has left there is ours.
    ifExists: 'repair',
    continueAfterError: false,
    isEnd: isAway,
    ...patienceWith(located.holders),
  })
  const failures: unknown[] = []
  for await (const result of run) if (!result.ok) failures.push(result.error)
  if (failures.length > 0) throw explainedFetch(failures[0], located.file.name)
  await proveTree(located, listing, tree, options)
  await publish(tree, path)
  await rm(hidden, { recursive: true, force: true })
  return outcomeOf(located, 'tree', path, 'downloaded')
}

/** A directory that came there meanwhile is never replaced, but for an empty one. */
async function publish(tree: string, path: string): Promise<void> {
  try {
    await rename(tree, path)
    const parent = await open(dirname(path), 'r')
    try {
      await parent.sync()
    } finally {
      await parent.close()
    }
  } catch (cause) {
    throw new TransferError('Disk', `Cannot put ${path} in place: ${(cause as Error).message}`, { file: path, cause })
  }
}

/**
 * Reads the whole tree. What its uploader gave knows no names (reliability 3, trap 9); the digest of the manifest does, where
 * the librarian tells it.
 */
async function proveTree(
  { file }: Located,
  { sha256: manifest }: TreeListing,
  path: string,
  { signal }: DownloadOptions,
): Promise<void> {
  const { function: name } = parseChecksum(file.checksum!)
  const { digests, size, sha256 } = await digestPath(path, { functions: [name], links: 'refuse', signal })
  const actual = `${name}:::${digests[name]}`
  if (size === file.size && checksumsMatch(actual, file.checksum!)) {
    if (manifest === undefined || manifest === sha256) return
    const what = `Cannot accept ${path} as ${file.name}: it has the same bytes under other names, or other directories`
    throw new TransferError('ChecksumMismatch', what, {
      file: path,
      algorithm: 'sha256',
      expected: manifest,
      actual: sha256,
      remedy: 'Move it away, then say the same again.',
    })
  }
  throw new TransferError(
    'ChecksumMismatch',
    `Cannot accept ${path} as ${file.name}: ${name} must be ${parseChecksum(file.checksum!).hex}, got ${digests[name]}`,
    {
      file: path,
      algorithm: name,
      expected: file.checksum!,
      actual,
      remedy: 'Move it away, then say the same again.',
    },
  )
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}

function outcomeOf(
  { file }: Located,
  kind: Downloaded['kind'],
  path: string,
  status: Downloaded['status'],
): Downloaded {
  return { name: file.name, kind, path, size: file.size!, checksum: file.checksum!, status }
}
