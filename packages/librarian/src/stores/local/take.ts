/**
 * Brings what others wrote to inodes that only this server ever opens for writing, and digests it on the way
 * (reliability A5, 7.9). What may be under a foreign name is anything: a link, a pipe, a device, somebody's open file.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  linkSync,
  readdirSync,
  type Stats,
} from 'node:fs'
import {
  describeTree,
  digestBytesBy,
  MemberNames,
  type PathDigests,
  type PathFunction,
  type TreeMember,
} from '@arriero/transfer/paths'
import { mismatch, stagedNotFound, unacceptable } from '../refusals.ts'
import { functionsFor, inFormOf } from '../wire-checksum.ts'
import { answerOf, type Context } from './context.ts'
import { digestFile } from './describe.ts'
import { finishFile, own } from './finish-file.ts'
import { Held } from './held.ts'
import { PRIVATE_DIRECTORY_MODE, PRIVATE_TREE_MODE } from './modes.ts'
import { NewFile } from './new-file.ts'
import { isUnchanged, openLeaf, statsOf } from './read-file.ts'
import { removeAll } from './remove-tree.ts'
import { codeOf } from './system-error.ts'
import type { Answer, TakeJob, Taken } from './task.ts'
import { unpack } from './unpack.ts'

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants

/** From this size on it is worth asking the file system for a clone. */
const CLONE_FROM = 1 << 20

/** One upload after the other; a failure is its own. */
export function takeAll(jobs: readonly TakeJob[], context: Context): Answer<Taken>[] {
  using work = Held.place(context.layout.work)
  using origins = new Origins(context)
  return jobs.map(job => answerOf('take', job.what, () => take(job, origins, work, context)))
}

type Place = Exclude<TakeJob['from'], 'memory'>

/** The places that uploads come from, each entered once for all that lie in it. */
class Origins implements Disposable {
  readonly #layout: Context['layout']
  readonly #places = new Map<Place, Held>()

  constructor({ layout }: Context) {
    this.#layout = layout
  }

  placeOf(from: Place): Held {
    const known = this.#places.get(from)
    if (known) return known
    const place = Held.place(from === 'place' ? this.#layout.root : this.#layout[from])
    this.#places.set(from, place)
    return place
  }

  [Symbol.dispose](): void {
    for (const place of this.#places.values()) place[Symbol.dispose]()
  }
}

/** Copies, digests and compares; makes nothing durable. Whatever fails leaves no copy behind. */
function take(job: TakeJob, origins: Origins, work: Held, context: Context): Taken {
  try {
    const taken = job.bytes ? keep(job, job.bytes, work, context) : takeFrom(job, origins, work, context)
    const isRight = job.checksum === undefined || job.checksum === taken.checksum
    if (taken.size !== job.size || !isRight) throw mismatch(job.what, job, taken)
    return taken
  } catch (error) {
    removeAll(work, job.copy)
    throw error
  }
}

function takeFrom(job: TakeJob, origins: Origins, work: Held, context: Context): Taken {
  using above = enterOrigin(job, origins)
  return takeBy(job)(job, above, work, context)
}

function takeBy({ from, archive }: TakeJob): typeof copy {
  if (from !== 'spool') return copy
  return archive === undefined ? adopt : unpackTree
}

/** The directory that has the upload, reached without following a link. */
function enterOrigin({ from, segments, what }: TakeJob, origins: Origins): Held {
  const place = origins.placeOf(from as Place)
  try {
    return place.walk(segments.slice(0, -1))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw stagedNotFound(what)
    if (codeOf(error) === 'ELOOP' || codeOf(error) === 'ENOTDIR') {
      throw unacceptable(what, 'its path must be of directories', 'one of them is something else')
    }
    throw error
  }
}

// ——— From the staging area ———

function copy(job: TakeJob, above: Held, work: Held, context: Context): Taken {
  const leaf = job.segments.at(-1)!
  const met = above.look(leaf)
  if (!met) throw stagedNotFound(job.what)
  const functions = functionsFor(job.checksum)
  if (met.isDirectory()) return copyTree(job, above.enter(leaf), work, functions, context)
  if (met.isFile() && met.size !== job.size) throw mismatch(job.what, job, { size: met.size })
  const { size, digests } = copyFile(
    job.what,
    { directory: above, leaf, met },
    { directory: work, name: job.copy },
    functions,
    context,
  )
  return { kind: 'file', size, ...inWireForm(job, digests), manifest: undefined, copy: job.copy }
}

function inWireForm({ checksum }: TakeJob, digests: PathDigests, sha256 = digests.sha256!) {
  return { checksum: inFormOf(checksum, digests), sha256 }
}

/** What is to be copied, as it was met: nothing is opened that was no file when somebody looked. */
interface Foreign {
  readonly directory: Held
  readonly leaf: string
  readonly met: Stats | undefined
}

interface Digested {
  readonly size: number
  readonly digests: PathDigests
}

function copyFile(
  what: string,
  from: Foreign,
  { directory: to, name }: { readonly directory: Held; readonly name: string },
  functions: readonly PathFunction[],
  context: Context,
): Digested {
  const fd = openForeign(what, from)
  try {
    const before = statsOf(fd)
    checkForeign(what, before)
    const digested = cloneOrCopy(fd, before, to, name, functions, context)
    if (!isUnchanged(before, statsOf(fd)) || digested.size !== Number(before.size)) {
      throw unacceptable(what, 'it must stay as it is while it is taken', 'it was changed')
    }
    return digested
  } finally {
    closeSync(fd)
  }
}

function openForeign(what: string, { directory, leaf, met }: Foreign): number {
  if (met && !met.isFile()) throw unacceptable(what, 'it must be a file or a directory', `it is ${kindOf(met)}`)
  try {
    return openLeaf(directory, leaf)
  } catch (error) {
    switch (codeOf(error)) {
      case 'ELOOP':
        throw unacceptable(what, 'it must be a file or a directory', 'it is a link')
      case 'EACCES':
      case 'EPERM':
        throw unacceptable(what, 'it must be readable for the server', 'it is not')
      case 'ENOENT':
        throw unacceptable(what, 'it must stay as it is while it is taken', 'it was removed')
      default:
        throw error
    }
  }
}

function kindOf(stats: { isSymbolicLink(): boolean; isFIFO(): boolean; isSocket(): boolean }): string {
  return stats.isSymbolicLink() ? 'a link' : stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device'
}

function checkForeign(what: string, stats: BigIntStats): void {
  if (!stats.isFile()) throw unacceptable(what, 'it must be a file or a directory', 'it is something else')
  if (stats.nlink !== 1n) throw unacceptable(what, 'it must have one name', `it has ${stats.nlink} (hard links)`)
}

function cloneOrCopy(
  fd: number,
  { size }: BigIntStats,
  to: Held,
  name: string,
  functions: readonly PathFunction[],
  context: Context,
): Digested {
  if (size >= CLONE_FROM && context.canClone && clone(fd, to, name)) {
    const copied = openLeaf(to, name)
    try {
      finishFile(copied, context)
      return { size: Number(size), digests: digestFile(copied, Number(size), functions, context) }
    } finally {
      closeSync(copied)
    }
  }
  using copied = new NewFile(to, name, Number(size))
  const digests = digestFile(fd, Number(size), functions, context, bytes => copied.write(bytes))
  copied.finish(context)
  return { size: copied.size, digests }
}

function clone(fd: number, to: Held, name: string): boolean {
  try {
    copyFileSync(`/proc/self/fd/${fd}`, to.at(name), COPYFILE_EXCL | COPYFILE_FICLONE_FORCE)
    return true
  } catch {
    removeAll(to, name)
    return false
  }
}

// ——— Trees ———

interface TreeCopy {
  readonly job: TakeJob
  readonly functions: readonly PathFunction[]
  readonly context: Context
  readonly members: TreeMember[]
  readonly names: MemberNames
  /** Bytes taken; more than were announced are not taken. */
  size: number
}

function copyTree(job: TakeJob, from: Held, work: Held, functions: readonly PathFunction[], context: Context): Taken {
  const tree: TreeCopy = { job, functions, context, members: [], names: new MemberNames(), size: 0 }
  using source = from
  using target = work.make(job.copy, PRIVATE_TREE_MODE).directory
  copyDirectory(source, target, '', tree)
  own(target.fd, context.modes.owner)
  const { size, digests, manifest, sha256 } = describeTree(tree.members, functions)
  return { kind: 'tree', size, ...inWireForm(job, digests, sha256), manifest, copy: job.copy }
}

function copyDirectory(from: Held, to: Held, below: string, tree: TreeCopy): void {
  const before = statsOf(from.fd)
  for (const raw of readdirSync(from.path, { encoding: 'buffer' })) {
    const leaf = memberName(raw, below, tree)
    copyMember(from, to, leaf, below === '' ? leaf : `${below}/${leaf}`, tree)
  }
  if (!isUnchanged(before, statsOf(from.fd))) {
    throw unacceptable(shownMember(tree.job, below), 'it must stay as it is while it is taken', 'it was changed')
  }
}

function copyMember(from: Held, to: Held, leaf: string, path: string, tree: TreeCopy): void {
  const { job, functions, context, members, names } = tree
  const what = shownMember(job, path)
  const met = from.look(leaf)
  const isDirectory = met?.isDirectory() === true
  const problem = names.claim(path, isDirectory ? 'directory' : 'file')
  if (problem !== undefined) throw noName(job, path, problem)
  if (isDirectory) {
    using source = from.enter(leaf)
    using target = to.make(leaf, PRIVATE_DIRECTORY_MODE).directory
    copyDirectory(source, target, path, tree)
    own(target.fd, context.modes.owner)
    fchmodSync(target.fd, context.modes.directory)
    members.push({ path, type: 'directory' })
    return
  }
  // A sparse file announces what takes days to read.
  tree.size += met?.isFile() ? met.size : 0
  if (tree.size > job.size) throw mismatch(job.what, job, { size: tree.size })
  members.push({
    path,
    type: 'file',
    ...copyFile(what, { directory: from, leaf, met }, { directory: to, name: leaf }, functions, context),
  })
}

/** Text APIs show a name that is no UTF-8 as one that does not exist. */
function memberName(raw: Buffer, below: string, { job }: TreeCopy): string {
  const leaf = raw.toString()
  if (!Buffer.from(leaf).equals(raw)) throw noName(job, below === '' ? leaf : `${below}/${leaf}`, 'it is no UTF-8')
  return leaf
}

function noName(job: TakeJob, path: string, why: string): Error {
  const must = 'a member must have a name that others can use'
  return unacceptable(shownMember(job, path), must, why, 'Rename it; then upload again.')
}

function shownMember({ what }: TakeJob, path: string): string {
  return path === '' ? what : `${what}/${path}`
}

// ——— From memory ———

/** Digested before it is written: what is not as it must be need not be. */
function keep(job: TakeJob, bytes: Uint8Array, work: Held, context: Context): Taken {
  const { copy, what, size, checksum } = job
  if (bytes.length !== size) throw mismatch(what, job, { size: bytes.length })
  const told = inWireForm(job, digestBytesBy(functionsFor(checksum), bytes))
  const taken = { kind: 'file', size, ...told, manifest: undefined, copy } as const
  if (checksum !== undefined && checksum !== taken.checksum) throw mismatch(what, job, taken)
  using file = new NewFile(work, copy, size)
  file.write(bytes)
  file.finish(context)
  return taken
}

// ——— From the spool ———

function unpackTree(job: TakeJob, above: Held, work: Held, context: Context): Taken {
  const { size, digests, manifest, sha256 } = unpack(job, above, work, functionsFor(job.checksum), context)
  return { kind: 'tree', size, ...inWireForm(job, digests, sha256), manifest, copy: job.copy }
}

/** Only this server ever wrote it, so it need not be copied; from now on nobody writes it. */
function adopt(job: TakeJob, above: Held, work: Held, context: Context): Taken {
  const leaf = job.segments.at(-1)!
  if (!above.look(leaf)) throw stagedNotFound(job.what)
  const fd = openLeaf(above, leaf)
  try {
    const stats = statsOf(fd)
    if (Number(stats.size) !== job.size) throw mismatch(job.what, job, { size: Number(stats.size) })
    finishFile(fd, context)
    linkSync(above.at(leaf), work.at(job.copy))
    const digests = job.digests ?? digestFile(fd, job.size, functionsFor(job.checksum), context)
    return { kind: 'file', size: job.size, ...inWireForm(job, digests), manifest: undefined, copy: job.copy }
  } finally {
    closeSync(fd)
  }
}
