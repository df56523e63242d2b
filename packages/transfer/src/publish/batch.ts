/**
 * Group commit: many verified files become visible and durable for the price of a few (design 4, reliability 7).
 *
 *     stage     each file: create its temporary name exclusively, write all bytes
 *     barrier   one sync of the file system (few files: one fsync each)
 *     publish   each file: link to its final name, which fails if it is taken
 *     settle    fsync every directory that got a name
 *     tidy      unlink the temporary names; only now are they acknowledged
 *
 * A final name therefore never shows content that is partial, unverified or not on stable storage. A kill at any
 * instant leaves temporary names at worst. All calls are synchronous: this runs on a thread of its own, where that is
 * several times cheaper than promises.
 */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  constants as fsConstants,
  fsyncSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { makeDirectories, parentsUpTo } from './directories.ts'
import type { Failure, Outcome, PublishJob } from './job.ts'

/** From this many files on, one sync of the whole file system is cheaper than one fsync per file. */
const FILES_FOR_SYNCFS = 24

/** How often a private directory that others remove is made again; each of them removes it once. */
const MAKE_ATTEMPTS = 100

interface Staged {
  readonly job: PublishJob
  /** Size, for whoever wants to bound a batch. */
  readonly length: number
}

/** How content, names and whole file systems get onto stable storage. */
export interface Sync {
  file(path: string): void
  directory(path: string): void
  /** Everything on the file system of a directory; false when that is not to be had. Throws when it failed. */
  fileSystem(directory: string): boolean
}

const systemSync: Sync = {
  file: fsyncPath,
  directory: fsyncDirectory,
  fileSystem: syncFileSystem,
}

export class Batch {
  readonly #memory: Uint8Array
  readonly #sync: Sync
  #staged: Staged[] = []
  #failed: Outcome[] = []
  readonly #knownDirectories = new Set<string>()
  /** Directories whose entries changed. */
  readonly #touched = new Set<string>()
  /** Directories of which a sync has failed: a later one that succeeds would be a lie. */
  readonly #condemned = new Map<string, Failure>()

  constructor(memory: Uint8Array, sync = systemSync) {
    this.#memory = memory
    this.#sync = sync
  }

  /** Files staged and not published. */
  get size(): number {
    return this.#staged.length + this.#failed.length
  }

  /** Writes a job's bytes to its temporary name. A failure is kept for `publish` to report. */
  stage(job: PublishJob): void {
    const condemned = this.#whyCondemned(job.final)
    if (condemned) {
      this.#failed.push({ id: job.id, failure: condemned })
      return
    }
    try {
      this.#ensureDirectory(dirname(job.final), job.root)
      if (job.content) writeTemporary(job, this.#memory)
      this.#staged.push({ job, length: job.content?.length ?? 0 })
    } catch (error) {
      this.#failed.push({ id: job.id, failure: failureOf(error, 'write') })
    }
  }

  /**
   * Makes everything staged visible and durable. `acknowledge` hears of it when the temporary names are gone: to remove one
   * changes the ctime of its file, by which later runs know that nobody has touched it.
   */
  publish(acknowledge: (outcomes: Outcome[]) => void): void {
    const outcomes = this.#failed
    this.#failed = []
    const ready = this.#barrier(this.#staged, outcomes)
    this.#staged = []
    const published: { job: PublishJob; path: string }[] = []
    for (const { job } of ready) {
      try {
        const path = job.isThere ? job.final : giveName(job)
        this.#touched.add(dirname(path))
        published.push({ job, path })
      } catch (error) {
        removeQuietly(job.content && job.temp)
        outcomes.push({ id: job.id, failure: failureOf(error, 'publish') })
      }
    }
    this.#settle(published, outcomes)
    // A temporary file that came from elsewhere is removed by who made it.
    for (const { job } of published) if (job.content && job.conflict !== 'overwrite') removeQuietly(job.temp)
    acknowledge(outcomes)
  }

  #barrier(staged: readonly Staged[], outcomes: Outcome[]): readonly Staged[] {
    const unsynced = staged.filter(({ job }) => (job.content || job.isThere) && job.isDurable)
    const condemned = new Set<Staged>()
    const condemn = (one: Staged, error: unknown) => {
      condemned.add(one)
      if (!one.job.isThere) removeQuietly(one.job.temp)
      outcomes.push({ id: one.job.id, failure: failureOf(error, 'sync') })
    }
    for (const one of this.#oneByOne(unsynced, condemn)) {
      try {
        this.#sync.file(one.job.temp)
      } catch (error) {
        condemn(one, error)
      }
    }
    return condemned.size > 0 ? staged.filter(one => !condemned.has(one)) : staged
  }

  /** Those that no sync of a whole file system has covered; where one failed, they are not to be synced again. */
  #oneByOne(unsynced: readonly Staged[], condemn: (one: Staged, error: unknown) => void): readonly Staged[] {
    if (unsynced.length < FILES_FOR_SYNCFS) return unsynced
    const byDirectory = Map.groupBy(unsynced, ({ job }) => dirname(job.temp))
    const byDevice = Map.groupBy(byDirectory, ([directory]) => deviceOf(directory))
    return [...byDevice].flatMap(([device, directories]) => {
      const [[directory]] = directories as [[string, Staged[]]]
      const files = directories.flatMap(([, each]) => each)
      const isMany = device !== undefined && files.length >= FILES_FOR_SYNCFS
      try {
        return isMany && this.#sync.fileSystem(directory) ? [] : files
      } catch (error) {
        for (const one of files) condemn(one, error)
        return []
      }
    })
  }

  #settle(published: readonly { job: PublishJob; path: string }[], outcomes: Outcome[]): void {
    if (published.some(({ job }) => job.isDurable))
      this.#syncTouched(new Set(published.map(({ path }) => dirname(path))))
    this.#touched.clear()
    for (const { job, path } of published) {
      const failure = job.isDurable ? this.#whyCondemned(path) : undefined
      if (failure) withdraw(job, path)
      outcomes.push(failure ? { id: job.id, failure } : { id: job.id, path })
    }
  }

  #syncTouched(targets: ReadonlySet<string>): void {
    for (const directory of this.#touched) {
      try {
        this.#sync.directory(directory)
      } catch (error) {
        // Above the target there may be directories that we may pass and not read: nothing is to be had of them.
        const isBarred = codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM'
        if (isBarred && !targets.has(directory)) continue
        this.#condemned.set(directory, failureOf(error, 'sync the directory of'))
      }
    }
  }

  /** The failure of a directory above, if there was one. */
  #whyCondemned(path: string): Failure | undefined {
    if (this.#condemned.size === 0) return undefined
    for (let at = dirname(path); ; at = dirname(at)) {
      const failure = this.#condemned.get(at)
      if (failure || at === dirname(at)) return failure
    }
  }

  /**
   * New directories are synced up to the first one that was there (reliability 7.4), and those of the target even if
   * they were there: who made them may have been killed before the sync.
   */
  #ensureDirectory(directory: string, root: string | undefined): void {
    if (this.#knownDirectories.has(directory)) return
    const first = makeDirectories(directory)
    const top = root === undefined || (first !== undefined && first.length < root.length) ? first : root
    if (top !== undefined) for (const parent of parentsUpTo(directory, top)) this.#touched.add(parent)
    this.#knownDirectories.add(directory)
  }
}

/** Nothing of a file that failed may be visible; what a rename has replaced is gone. */
function withdraw({ conflict, isThere }: PublishJob, path: string): void {
  if (conflict !== 'overwrite' && !isThere) removeQuietly(path)
}

function writeTemporary({ temp, content, mtimeMs }: PublishJob, memory: Uint8Array): void {
  if (!content) return
  const fd = createExclusively(temp)
  try {
    try {
      const end = content.address + content.length
      for (let at = content.address; at < end; ) at += writeSync(fd, memory, at, end - at)
      if (mtimeMs !== undefined) futimesSync(fd, mtimeMs / 1000, mtimeMs / 1000)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    removeQuietly(temp)
    throw error
  }
}

/** The private directory may be removed by other processes that find it empty, and again: then it is made again. */
function createExclusively(temp: string): number {
  for (let attempt = 1; ; attempt++) {
    try {
      return openSync(temp, 'wx')
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || attempt === MAKE_ATTEMPTS) throw error
      mkdirSync(dirname(temp), { recursive: true, mode: 0o700 })
    }
  }
}

/** Gives the content its final name; returns the name, which differs only for `rename`. */
function giveName({ temp, final, conflict }: PublishJob): string {
  if (conflict === 'overwrite') {
    replaceName(temp, final)
    return final
  }
  for (let attempt = 0; ; attempt++) {
    const path = attempt === 0 ? final : numbered(final, attempt)
    try {
      linkName(temp, path)
      return path
    } catch (error) {
      // Our own lost answer, e.g. of a network file system: the name is there and it is our file.
      if (codeOf(error) === 'EEXIST' && isSameFile(temp, path)) return path
      if (codeOf(error) !== 'EEXIST' || conflict !== 'rename' || attempt >= 9999) throw error
    }
  }
}

function replaceName(temp: string, path: string): void {
  try {
    renameSync(temp, path)
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error
    copyAcross(temp, path, renameSync)
    removeQuietly(temp)
  }
}

function linkName(temp: string, path: string): void {
  try {
    linkSync(temp, path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EXDEV') return copyAcross(temp, path, linkName)
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EMLINK') throw error
    // No hard links here (FAT, some network file systems): the look before the rename is the best there is.
    if (statSync(path, { throwIfNoEntry: false })) throw Object.assign(new Error('file exists'), { code: 'EEXIST' })
    renameSync(temp, path)
  }
}

/** The target lies on another file system, e.g. a mount point inside the target directory: never a bare move. */
function copyAcross(temp: string, path: string, give: (near: string, path: string) => void): void {
  const near = join(dirname(path), `.${basename(temp)}`)
  copyFileSync(temp, near, fsConstants.COPYFILE_EXCL)
  try {
    fsyncPath(near)
    give(near, path)
  } finally {
    removeQuietly(near)
  }
}

function numbered(path: string, number: number): string {
  const extension = extname(path)
  return join(dirname(path), `${basename(path, extension)} (${number})${extension}`)
}

/**
 * `syncfs` by coreutils, since Node has none. False when that is not to be had here, which a control tells: where the
 * program can sync another file system, its failure is the disk's.
 */
function syncFileSystem(directory: string): boolean {
  if (process.platform !== 'linux') return false
  const { status, stderr } = runSync(directory)
  if (status === 0) return true
  if (status === null || runSync('/proc').status !== 0) return false
  const code = /No space left/.test(stderr) ? 'ENOSPC' : /quota/.test(stderr) ? 'EDQUOT' : 'EIO'
  throw Object.assign(new Error(stderr.trim()), { code })
}

/** A status of null: it could not be started, or it was killed. */
function runSync(directory: string): { status: number | null; stderr: string } {
  const env = { ...process.env, LC_ALL: 'C' }
  const { status, stderr } = spawnSync('sync', ['-f', '--', directory], { env, encoding: 'utf8' })
  return { status, stderr: stderr ?? '' }
}

/** For reading: what is there already may be another user's. */
function fsyncPath(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function fsyncDirectory(path: string): void {
  try {
    fsyncPath(path)
  } catch (error) {
    // Some file systems refuse to sync a directory; there is nothing stronger to be had on them.
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'EBADF') throw error
  }
}

function deviceOf(directory: string): number | undefined {
  return statSync(directory, { throwIfNoEntry: false })?.dev
}

function isSameFile(a: string, b: string): boolean {
  const [first, second] = [statSync(a, { throwIfNoEntry: false }), statSync(b, { throwIfNoEntry: false })]
  return first !== undefined && second !== undefined && first.ino === second.ino && first.dev === second.dev
}

function removeQuietly(path: string | undefined): void {
  if (path === undefined) return
  try {
    unlinkSync(path)
  } catch {
    // Nothing is lost: a later run sweeps what a dead owner left.
  }
}

function failureOf(error: unknown, action: string): Failure {
  const { message } = error as Error
  return { code: codeOf(error), message, action }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO'
}
