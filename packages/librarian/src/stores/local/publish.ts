/**
 * Gives private copies their final names (reliability 7.1 to 7.4): nothing is ever replaced, and nothing is told before the
 * name is durable.
 */
import { fchmodSync, fsyncSync, linkSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import type { LibrarianError } from '@arriero/api'
import { fileExists, notPrepared } from '../refusals.ts'
import type { Publication, Published } from '../store.ts'
import { type Context, refused } from './context.ts'
import { describe, fingerprintAt, Strange } from './describe.ts'
import { Held } from './held.ts'
import { isCommittedTree, PRIVATE_TREE_MODE } from './modes.ts'
import { Parents } from './parents.ts'
import { removeAll } from './remove-tree.ts'
import { codeOf, systemError } from './system-error.ts'
import type { Answer, PublishJob } from './task.ts'

interface Placed {
  readonly job: PublishJob
  readonly above: string
  /** Undefined: the name had these bytes already. */
  readonly copy: string | undefined
}

export function publish(jobs: readonly PublishJob[], context: Context): Answer<Published>[] {
  using work = Held.place(context.layout.work)
  using parents = new Parents(context)
  const placed = jobs.map(job => placeOne(job, work, parents, context))
  if (placed.some(one => 'copy' in one && one.job.kind === 'tree' && one.copy !== undefined)) {
    context.durability.path(work.at('.'))
  }
  const failures = parents.sync()
  return placed.map(one => {
    if (!('job' in one)) return refused(one)
    const failure = failureAbove(one.above, failures)
    if (failure !== undefined) {
      withdraw(one, work, parents)
      return refused(systemError(failure, 'sync the directory of', one.job.name))
    }
    return settleOne(one, work, parents, context)
  })
}

function placeOne(job: PublishJob, work: Held, parents: Parents, context: Context): Placed | LibrarianError {
  try {
    return place(job, work, parents, context)
  } catch (error) {
    return systemError(error, 'publish', job.name)
  }
}

function place(job: PublishJob, work: Held, parents: Parents, context: Context): Placed {
  const { directory, leaf, above } = parents.of(job.name)
  if (takesNameAtOnce(job, work, directory, leaf)) {
    parents.touch(above)
    return { job, above, copy: job.copies[0] }
  }
  if (isKept(job, directory, leaf, work, context)) {
    // Who gave it this name may have been killed before the name was durable.
    parents.touch(above)
    return { job, above, copy: undefined }
  }
  const copy = findCopy(job, work, context)
  if (copy === undefined) throw notPrepared(job.id, job.name)
  giveName(job, copy, work, parents)
  parents.touch(above)
  return { job, above, copy }
}

/** The usual case without a look: a link is made of what is there, and never over anything. Else whoever looks says why not. */
function takesNameAtOnce({ kind, isKnown, copies }: PublishJob, work: Held, directory: Held, leaf: string): boolean {
  if (kind !== 'file' || !isKnown || copies.length !== 1) return false
  try {
    linkSync(work.at(copies[0]!), directory.at(leaf))
    return true
  } catch {
    return false
  }
}

/** Whether the name leads to this work's content. @throws LibrarianError FileExists where it leads to anything else. */
function isKept(job: PublishJob, directory: Held, leaf: string, work: Held, context: Context): boolean {
  const met = directory.look(leaf)
  if (!met) return false
  // Our own lost answer: the same inode, which was digested before it was published.
  if (job.isKnown && met.isFile() && job.copies.some(copy => isSame(work.look(copy), met))) return true
  if (met.isDirectory() && !isCommittedTree(met.mode)) {
    using inside = directory.enter(leaf)
    if (readdirSync(inside.path).length === 0) return removeHollow(directory, leaf)
  }
  if (isContentOf(job, directory, leaf, context)) return true
  throw fileExists(
    job.name,
    met.isDirectory() && job.kind === 'file' ? 'it is a directory' : 'it leads to something else',
  )
}

/** An empty directory of ours is what an upload that failed has left; `rename` would replace it, `link` would not. */
function removeHollow(directory: Held, leaf: string): false {
  rmdirSync(directory.at(leaf))
  return false
}

function isSame(a: { ino: number; dev: number } | undefined, b: { ino: number; dev: number }): boolean {
  return a !== undefined && a.ino === b.ino && a.dev === b.dev
}

/** Reads it in full, unless its size tells. */
export function isContentOf(
  { kind, size, sha256 }: Publication,
  directory: Held,
  leaf: string,
  context: Context,
): boolean {
  const met = directory.look(leaf)
  if (!met || (kind === 'file' ? !met.isFile() || met.size !== size : !met.isDirectory())) return false
  try {
    const found = describe(directory, leaf, { functions: ['sha256'] }, context)
    return found.kind === kind && found.size === size && found.sha256 === sha256
  } catch (error) {
    if (error instanceof Strange || codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/** The private copy of a work. After a crash there may be several, and halves among them: then the digest decides. */
export function findCopy(job: PublishJob, work: Held, context: Context): string | undefined {
  if (job.isKnown) return job.copies.find(copy => work.look(copy) !== undefined)
  return job.copies.find(copy => isContentOf(job, work, copy, context))
}

/** How often a directory that others remove while it is empty is made again. */
const ATTEMPTS = 20

export function giveName(job: PublishJob, copy: string, work: Held, parents: Parents): void {
  for (let attempt = 1; ; attempt++) {
    const { directory, leaf, above } = parents.of(job.name)
    try {
      if (job.kind === 'file') linkSync(work.at(copy), directory.at(leaf))
      else renameTree(work, copy, directory, leaf)
      return
    } catch (error) {
      const code = codeOf(error)
      if (code === 'EEXIST' || code === 'ENOTEMPTY' || code === 'ENOTDIR') {
        throw fileExists(job.name, 'it was taken a moment ago')
      }
      if (code !== 'ENOENT' || attempt === ATTEMPTS || work.look(copy) === undefined) throw error
      parents.forget(above)
    }
  }
}

/** Only while its top can be written may a directory be moved elsewhere by who is not root. */
function renameTree(work: Held, copy: string, directory: Held, leaf: string): void {
  if (directory.look(leaf)) throw Object.assign(new Error('it exists'), { code: 'EEXIST' })
  renameSync(work.at(copy), directory.at(leaf))
}

function settleOne({ job }: Placed, work: Held, parents: Parents, context: Context): Answer<Published> {
  try {
    const { directory, leaf } = parents.of(job.name)
    const path = `${context.layout.root}/${job.name}`
    // The name is durable. A second name less changes the ctime, so it goes before the fingerprint is taken.
    for (const copy of job.copies) removeAll(work, copy)
    if (job.spool !== undefined) removeSpooled(job.spool, context)
    if (job.kind === 'tree') closeTree(directory, leaf, context)
    return { ok: true, value: { path, fingerprint: fingerprintAt(directory, leaf) } }
  } catch (error) {
    return refused(systemError(error, 'publish', job.name))
  }
}

/** Its second name only: what is known of its digests goes with `removeSpool`. */
function removeSpooled(id: string, { layout }: Context): void {
  using spool = Held.place(layout.spool)
  removeAll(spool, id)
}

export function closeTree(directory: Held, leaf: string, { modes }: Context): void {
  using top = directory.enter(leaf)
  if ((top.stats().mode & 0o7777) === modes.directory) return
  fchmodSync(top.fd, modes.directory)
  fsyncSync(top.fd)
}

/** Nobody may see a name that a power cut could take back. */
function withdraw({ job, copy }: Placed, work: Held, parents: Parents): void {
  if (copy === undefined) return
  try {
    const { directory, leaf } = parents.of(job.name)
    if (job.kind === 'file') unlinkSync(directory.at(leaf))
    else renameSync(directory.at(leaf), work.at(copy))
  } catch {
    // It stays; recovery reads it again before it believes it.
  }
}

function failureAbove(above: string, failures: ReadonlyMap<string, unknown>): unknown {
  for (const [path, failure] of failures) {
    if (path === '' || path === above || above.startsWith(`${path}/`)) return failure
  }
  return undefined
}

/** Puts good bytes in the place of bad ones, which go to the quarantine first (reliability 7.14). */
export function replace(job: PublishJob & { readonly quarantineId: string }, context: Context): Published {
  using work = Held.place(context.layout.work)
  using parents = new Parents(context)
  const { directory, leaf, above } = parents.of(job.name)
  if (!isGood(job, directory, leaf, context)) {
    const copy = findCopy(job, work, context)
    if (copy === undefined) throw notPrepared(job.id, job.name)
    quarantine(directory, leaf, job.quarantineId, job.kind, context)
    renameSync(work.at(copy), directory.at(leaf))
  }
  parents.touch(above)
  context.durability.path(work.at('.'))
  for (const [, failure] of parents.sync()) throw systemError(failure, 'sync the directory of', job.name)
  if (job.kind === 'tree') closeTree(directory, leaf, context)
  return { path: `${context.layout.root}/${job.name}`, fingerprint: fingerprintAt(directory, leaf) }
}

/** What cannot be read is replaced like what is wrong. */
function isGood(job: PublishJob, directory: Held, leaf: string, context: Context): boolean {
  try {
    return isContentOf(job, directory, leaf, context)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EIO' || code === 'EBADMSG' || code === 'EUCLEAN' || code === 'EACCES') return false
    throw error
  }
}

/** A file keeps its name until the good one takes it; a tree cannot. */
function quarantine(directory: Held, leaf: string, id: string, kind: Publication['kind'], context: Context): void {
  const bad = directory.look(leaf)
  if (!bad) return
  using place = Held.place(context.layout.quarantine)
  if (!place.look(id)) {
    if (bad.isDirectory()) moveTree(directory, leaf, place, id)
    else linkSync(directory.at(leaf), place.at(id))
    context.durability.path(place.at('.'))
  }
  if (!bad.isDirectory() && kind === 'tree') unlinkSync(directory.at(leaf))
}

/** Moves a tree, whose top may be read-only. */
export function moveTree(from: Held, leaf: string, to: Held, name: string): void {
  {
    using top = from.enter(leaf)
    fchmodSync(top.fd, PRIVATE_TREE_MODE)
  }
  renameSync(from.at(leaf), to.at(name))
}
