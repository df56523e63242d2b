/**
 * Group commit: many verified files become visible and durable for the price of a few (design 4, reliability 7).
 *
 *     stage     each file: create its temporary name exclusively, write all bytes
 *     barrier   one sync of the file system (few files: one fsync each)
 *     publish   each file: link to its final name, which fails if it is taken
 *     settle    fsync every directory that got a name; only now are they acknowledged
 *     tidy      unlink the temporary names
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
import { parentsUpTo } from './directories.ts'
import type { Failure, Outcome, PublishJob } from './job.ts'

/** From this many files on, one sync of the whole file system is cheaper than one fsync per file. */
const FILES_FOR_SYNCFS = 24

interface Staged {
  readonly job: PublishJob
  /** Size, for whoever wants to bound a batch. */
  readonly length: number
}

export class Batch {
  readonly #memory: Uint8Array
  #staged: Staged[] = []
  #failed: Outcome[] = []
  readonly #knownDirectories = new Set<string>()
  /** Directories whose entries changed. */
  readonly #touched = new Set<string>()

  constructor(memory: Uint8Array) {
    this.#memory = memory
  }

  /** Files staged and not published. */
  get size(): number {
    return this.#staged.length + this.#failed.length
  }

  /** Writes a job's bytes to its temporary name. A failure is kept for `publish` to report. */
  stage(job: PublishJob): void {
    try {
      this.#ensureDirectory(dirname(job.final))
      if (job.content) writeTemporary(job, this.#memory)
      this.#staged.push({ job, length: job.content?.length ?? 0 })
    } catch (error) {
      this.#failed.push({ id: job.id, failure: failureOf(error, 'write') })
    }
  }

  /** Makes everything staged visible and durable; `acknowledge` hears of it before the temporary names go. */
  publish(acknowledge: (outcomes: Outcome[]) => void): void {
    const outcomes = this.#failed
    this.#failed = []
    const ready = this.#barrier(this.#staged, outcomes)
    this.#staged = []
    const published: { job: PublishJob; path: string }[] = []
    for (const { job } of ready) {
      try {
        const path = giveName(job)
        this.#touched.add(dirname(path))
        published.push({ job, path })
      } catch (error) {
        removeQuietly(job.content && job.temp)
        outcomes.push({ id: job.id, failure: failureOf(error, 'publish') })
      }
    }
    const settled = this.#settle(published, outcomes)
    acknowledge(outcomes)
    for (const { job } of settled) if (job.conflict !== 'overwrite') removeQuietly(job.temp)
  }

  #barrier(staged: readonly Staged[], outcomes: Outcome[]): readonly Staged[] {
    const unsynced = staged.filter(({ job }) => job.content && job.isDurable)
    if (unsynced.length >= FILES_FOR_SYNCFS && syncFileSystem(dirname((unsynced[0] as Staged).job.temp))) return staged
    const condemned = new Set<Staged>()
    for (const one of unsynced) {
      try {
        fsyncPath(one.job.temp, fsConstants.O_RDWR)
      } catch (error) {
        condemned.add(one)
        removeQuietly(one.job.temp)
        outcomes.push({ id: one.job.id, failure: failureOf(error, 'sync') })
      }
    }
    return condemned.size > 0 ? staged.filter(one => !condemned.has(one)) : staged
  }

  #settle(
    published: readonly { job: PublishJob; path: string }[],
    outcomes: Outcome[],
  ): readonly { job: PublishJob }[] {
    let failure: Failure | undefined
    if (published.some(({ job }) => job.isDurable)) {
      for (const directory of this.#touched) {
        try {
          fsyncPath(directory, fsConstants.O_RDONLY)
        } catch (error) {
          failure = failureOf(error, 'sync the directory of')
        }
      }
    }
    this.#touched.clear()
    for (const { job, path } of published) outcomes.push(failure ? { id: job.id, failure } : { id: job.id, path })
    return published
  }

  /** New directories are synced up to the first one that was there (reliability 7.4). */
  #ensureDirectory(directory: string): void {
    if (this.#knownDirectories.has(directory)) return
    const first = mkdirSync(directory, { recursive: true })
    if (first !== undefined) for (const parent of parentsUpTo(directory, first)) this.#touched.add(parent)
    this.#knownDirectories.add(directory)
  }
}

function writeTemporary({ temp, content, mtimeMs }: PublishJob, memory: Uint8Array): void {
  if (!content) return
  const fd = createExclusively(temp)
  let isWritten = false
  try {
    const end = content.address + content.length
    for (let at = content.address; at < end; ) at += writeSync(fd, memory, at, end - at)
    if (mtimeMs !== undefined) futimesSync(fd, mtimeMs / 1000, mtimeMs / 1000)
    isWritten = true
  } finally {
    closeSync(fd)
    if (!isWritten) removeQuietly(temp)
  }
}

/** The private directory may have been removed by another process that found it empty: it is made again once. */
function createExclusively(temp: string): number {
  try {
    return openSync(temp, 'wx')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    mkdirSync(dirname(temp), { recursive: true, mode: 0o700 })
    return openSync(temp, 'wx')
  }
}

/** Gives the content its final name; returns the name, which differs only for `rename`. */
function giveName({ temp, final, conflict }: PublishJob): string {
  if (conflict === 'overwrite') {
    renameSync(temp, final)
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

function linkName(temp: string, path: string): void {
  try {
    linkSync(temp, path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EXDEV') return copyAcross(temp, path)
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EMLINK') throw error
    // No hard links here (FAT, some network file systems): the look before the rename is the best there is.
    if (statSync(path, { throwIfNoEntry: false })) throw Object.assign(new Error('file exists'), { code: 'EEXIST' })
    renameSync(temp, path)
  }
}

/** The target lies on another file system, e.g. a mount point inside the target directory: never a bare move. */
function copyAcross(temp: string, path: string): void {
  const near = join(dirname(path), `.${basename(temp)}`)
  copyFileSync(temp, near, fsConstants.COPYFILE_EXCL)
  try {
    fsyncPath(near, fsConstants.O_RDWR)
    linkName(near, path)
  } finally {
    removeQuietly(near)
  }
}

function numbered(path: string, number: number): string {
  const extension = extname(path)
  return join(dirname(path), `${basename(path, extension)} (${number})${extension}`)
}

/** `syncfs` by coreutils, since Node has none. False when that is not to be had here. */
function syncFileSystem(directory: string): boolean {
  const { status, error } = spawnSync('sync', ['-f', '--', directory], { stdio: 'ignore' })
  return error === undefined && status === 0
}

function fsyncPath(path: string, flags: number): void {
  const fd = openSync(path, flags)
  try {
    fsyncSync(fd)
  } catch (error) {
    // Some file systems refuse to sync a directory; there is nothing stronger to be had on them.
    if (flags !== fsConstants.O_RDONLY || (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'EBADF')) throw error
  } finally {
    closeSync(fd)
  }
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
