/**
 * Makes a private tree of an archive in the spool: read once from its start, each file digested while it is written. What the
 * archive says is from outside; every entry is judged before anything of it is made, and nothing leaves the new directory.
 */
import { closeSync, constants, fchmodSync, openSync } from 'node:fs'
import {
  type ArchiveEntry,
  type ArchiveHandler,
  ArchiveReader,
  createPathHasher,
  describeTree,
  digestBytesBy,
  type PathDigests,
  type PathFunction,
  type PathHasher,
  type TreeDescription,
  type TreeMember,
} from '@arriero/transfer/paths'
import { ArchiveMembers, archiveErrorOf } from '../archive-members.ts'
import { stagedNotFound } from '../refusals.ts'
import type { Context } from './context.ts'
import { finishFile, own, writeWhole } from './finish-file.ts'
import type { Held } from './held.ts'
import { PRIVATE_DIRECTORY_MODE, PRIVATE_TREE_MODE } from './modes.ts'
import { openLeaf, readThrough, statsOf } from './read-file.ts'
import type { TakeJob } from './task.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** Nobody writes the spool any more; whoever opens it again sees that. */
const SEALED_MODE = 0o400

/** Nothing is durable yet, and the copy is left to the caller where this throws. */
export function unpack(
  job: TakeJob,
  above: Held,
  work: Held,
  functions: readonly PathFunction[],
  context: Context,
): TreeDescription {
  const leaf = job.segments.at(-1)!
  if (!above.look(leaf)) throw stagedNotFound(job.what)
  const archive = openLeaf(above, leaf)
  try {
    fchmodSync(archive, SEALED_MODE)
    using top = work.make(job.copy, PRIVATE_TREE_MODE).directory
    using tree = new UnpackedTree(top, job, functions, context)
    const reader = new ArchiveReader(tree)
    const size = Number(statsOf(archive).size)
    readThrough(archive, size, context.buffer, bytes => reader.write(bytes), context.isStopped)
    reader.end()
    return tree.close()
  } catch (error) {
    throw archiveErrorOf(job.what, error)
  } finally {
    closeSync(archive)
  }
}

/** A file on its way. */
interface Open {
  readonly entry: ArchiveEntry
  readonly fd: number
  hasher: PathHasher | undefined
  digests: PathDigests | undefined
}

class UnpackedTree implements ArchiveHandler, Disposable {
  readonly #top: Held
  readonly #functions: readonly PathFunction[]
  readonly #context: Context
  readonly #admitted: ArchiveMembers
  readonly #members: TreeMember[] = []
  readonly #directories = new Set<string>()
  #open: Open | undefined
  /** The directory of the last member: most have the same one. */
  #last: { readonly path: string; readonly directory: Held } | undefined

  constructor(top: Held, { what, size }: TakeJob, functions: readonly PathFunction[], context: Context) {
    this.#top = top
    this.#functions = functions
    this.#context = context
    this.#admitted = new ArchiveMembers({ what, size })
  }

  begin(entry: ArchiveEntry): void {
    this.#admitted.admit(entry)
    if (entry.type === 'directory') return this.#makeDirectory(entry.path)
    const [above, leaf] = splitPath(entry.path)
    this.#makeDirectory(above)
    const at = this.#directory(above).at(leaf)
    const fd = openSync(at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    this.#open = { entry, fd, hasher: undefined, digests: undefined }
  }

  bytes(bytes: Uint8Array): void {
    const open = this.#open!
    writeWhole(open.fd, bytes)
    // Small files without the cost of running digests.
    if (bytes.length === open.entry.size) open.digests = digestBytesBy(this.#functions, bytes)
    else (open.hasher ??= createPathHasher(this.#functions)).update(bytes)
  }

  finish(): void {
    const { entry, fd, hasher, digests = hasher?.digests() } = this.#open!
    const { path, size } = entry
    finishFile(fd, this.#context)
    this.#members.push({
      path,
      type: 'file',
      size,
      digests: digests ?? digestBytesBy(this.#functions, new Uint8Array()),
    })
    this.#letGo()
  }

  /** All is there: from now on nothing is put into it. The top stays open to us, or it could not be moved. */
  close(): TreeDescription {
    for (const path of [...this.#directories].reverse()) {
      using directory = this.#top.walk(path.split('/'))
      own(directory.fd, this.#context.modes.owner)
      fchmodSync(directory.fd, this.#context.modes.directory)
    }
    own(this.#top.fd, this.#context.modes.owner)
    return describeTree(this.#members, this.#functions)
  }

  [Symbol.dispose](): void {
    this.#letGo()
    this.#last?.directory[Symbol.dispose]()
    this.#last = undefined
  }

  #letGo(): void {
    if (this.#open) closeSync(this.#open.fd)
    this.#open = undefined
  }

  /** Its parents too: an archive need not tell of them. */
  #makeDirectory(path: string): void {
    if (path === '' || this.#directories.has(path)) return
    const [above, leaf] = splitPath(path)
    this.#makeDirectory(above)
    const { directory } = this.#directory(above).make(leaf, PRIVATE_DIRECTORY_MODE)
    directory[Symbol.dispose]()
    this.#directories.add(path)
    this.#members.push({ path, type: 'directory' })
  }

  #directory(path: string): Held {
    if (path === '') return this.#top
    if (this.#last?.path === path) return this.#last.directory
    this.#last?.directory[Symbol.dispose]()
    this.#last = undefined
    this.#last = { path, directory: this.#top.walk(path.split('/')) }
    return this.#last.directory
  }
}

/** `a/b/c` → `a/b`, `c`. */
function splitPath(path: string): readonly [above: string, leaf: string] {
  const slash = path.lastIndexOf('/')
  return [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)]
}
