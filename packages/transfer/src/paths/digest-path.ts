import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, lstat, open, stat } from 'node:fs/promises'
import { diskError } from '../disk-error.ts'
import { TransferError } from '../errors.ts'
import { createDigester } from '../integrity/digester.ts'
import { printable } from '../redact.ts'
import { Slots } from '../slots.ts'
import { createHashPool, type HashPool } from '../workers/hash-pool.ts'
import { describeTree, type TreeMember } from './describe-tree.ts'
import { algorithmOf, digestBytesBy, loadPathFunctions, type PathDigests, type PathFunction } from './path-digests.ts'
import { isSameState, type Links, unsafe, walkTree } from './walk-tree.ts'

/** Options of `digestPath()`. */
export interface DigestPathOptions {
  /** What to compute besides SHA-256. Default: `['xxh3']`, which is the XXH3 of 128 bits here. */
  readonly functions?: readonly PathFunction[] | undefined
  /**
   * `follow`: links to files are read as files, links to directories count as empty directories, as librarians' clients do
   * (librarian 6.3). `refuse`: any link is an error. Default: `follow`.
   */
  readonly links?: Links | undefined
  readonly signal?: AbortSignal | undefined
  /** Hears of every piece that was read. */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** Kind, size and digests of what lies at a path. */
export interface PathDescription {
  readonly kind: 'file' | 'tree'
  /** Bytes; of a tree, of all its files. */
  readonly size: number
  /** Of the bytes; of a tree, as librarians exchange it: names do not count (librarian 6.3). */
  readonly digests: PathDigests
  /** Hex: of the bytes, or of the manifest. */
  readonly sha256: string
  /** Of a tree: its canonical manifest (reliability 1). */
  readonly manifest: string | undefined
}

/** Bytes read at once. */
const READ = 1 << 20

/** Bytes read and not yet hashed, over all files. */
const BUDGET = 16 << 20

/** Files of a tree that are open at once. */
const FILES_AT_ONCE = 8

/**
 * Reads a file or a tree once, in full, and digests it by every function that is asked for. Large files are hashed by
 * worker threads, and memory does not grow with their size.
 *
 * @throws TransferError NotFound; PathUnsafe for pipes, devices, names that are no UTF-8, and links where they are refused;
 *   ResourceChanged when anything changed while it was read; Disk.
 *
 * @example
 * ```ts
 * const { size, digests, sha256 } = await digestPath('observation', { functions: ['xxh3', 'md5'] })
 * ```
 */
export async function digestPath(path: string, options: DigestPathOptions = {}): Promise<PathDescription> {
  await using digester = createPathDigester()
  return await digester.digest(path, options)
}

/** Digests many paths with one set of threads and one budget of memory; as many at once as the caller likes. */
export interface PathDigester extends AsyncDisposable {
  /** As `digestPath`. */
  digest(path: string, options?: DigestPathOptions): Promise<PathDescription>
}

/** Computes digests of files and directories, several at once. */
export function createPathDigester(): PathDigester {
  let lanes: Lanes | undefined
  const openLanes = () => {
    if (lanes) return lanes
    const slots = new Slots({ budget: BUDGET })
    lanes = { slots, pool: createHashPool({ buffer: slots.buffer }) }
    return lanes
  }
  return {
    async digest(path, options = {}) {
      const functions = new Set<PathFunction>([...(options.functions ?? ['xxh3']), 'sha256'])
      await loadPathFunctions(functions)
      const reading: FileReading = {
        functions: [...functions],
        links: options.links ?? 'follow',
        signal: options.signal ?? new AbortController().signal,
        onProgress: options.onProgress,
        openLanes,
      }
      return (await isDirectory(path, reading.links))
        ? await digestTree(path, reading)
        : await digestFile(path, reading)
    },
    async [Symbol.asyncDispose]() {
      await lanes?.pool.close()
    },
  }
}

/** Memory and threads, made when the first large file is met. */
interface Lanes {
  readonly slots: Slots
  readonly pool: HashPool
}

interface FileReading {
  readonly functions: readonly PathFunction[]
  readonly links: Links
  readonly signal: AbortSignal
  readonly onProgress: ((bytes: number) => void) | undefined
  readonly openLanes: () => Lanes
}

async function isDirectory(path: string, links: Links): Promise<boolean> {
  const look = links === 'follow' ? stat : lstat
  const stats = await look(path).catch(cause => {
    if (cause.code !== 'ENOENT') throw diskError(cause, 'read', path)
    throw new TransferError('NotFound', `Cannot digest ${printable(path)}: there is no such file`, {
      file: path,
      cause,
    })
  })
  return stats.isDirectory()
}

async function digestFile(path: string, reading: FileReading): Promise<PathDescription> {
  const { size, digests } = await readFile(path, reading)
  return { kind: 'file', size, digests: asked(digests, reading), sha256: digests.sha256!, manifest: undefined }
}

async function digestTree(top: string, reading: FileReading): Promise<PathDescription> {
  const { entries, checkUnchanged } = await walkTree(top, reading)
  const members: TreeMember[] = []
  const waiting = entries.values()
  const crew = Array.from({ length: FILES_AT_ONCE }, async () => {
    for (const { path, type } of waiting) {
      if (type === 'directory') members.push({ path, type })
      else members.push({ path, type, ...(await readFile(`${top}/${path}`, reading)) })
    }
  })
  await allOrFirstFailure(crew)
  await checkUnchanged()
  const { size, digests, manifest, sha256 } = describeTree(members, reading.functions)
  return { kind: 'tree', size, digests: asked(digests, reading), sha256, manifest }
}

/** Nobody may still be reading when the caller hears of a failure. */
async function allOrFirstFailure(crew: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(crew)
  await Promise.all(crew)
}

function asked(digests: PathDigests, { functions }: FileReading): PathDigests {
  return Object.fromEntries(functions.map(name => [name, digests[name]]))
}

async function readFile(path: string, reading: FileReading): Promise<{ size: number; digests: PathDigests }> {
  reading.signal.throwIfAborted()
  // Without O_NONBLOCK a pipe would wait for its writer.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (reading.links === 'refuse' ? constants.O_NOFOLLOW : 0)
  const handle = await open(path, flags).catch(error => {
    throw error.code === 'ELOOP' || error.code === 'ENXIO' ? unsafe(path, 'is none') : diskError(error, 'read', path)
  })
  try {
    const before = await handle.stat({ bigint: true })
    if (!before.isFile()) throw unsafe(path, 'is none')
    const size = Number(before.size)
    const digests = await (size <= READ ? hashSmall : hashFile)(handle, path, size, reading)
    checkUnchanged(path, before, await handle.stat({ bigint: true }))
    return { size, digests }
  } finally {
    await handle.close()
  }
}

/** A thread would cost more than it saves. */
async function hashSmall(handle: FileHandle, path: string, size: number, reading: FileReading): Promise<PathDigests> {
  const bytes = Buffer.allocUnsafe(size)
  const bytesRead = await fill(handle, bytes, 0).catch(error => {
    throw diskError(error, 'read', path)
  })
  if (bytesRead !== size) throw changed(path)
  if (size > 0) reading.onProgress?.(size)
  return digestBytesBy(reading.functions, bytes)
}

async function hashFile(handle: FileHandle, path: string, size: number, reading: FileReading): Promise<PathDigests> {
  const { signal, functions } = reading
  const { slots, pool } = reading.openLanes()
  const digester = createDigester({ algorithms: functions.map(algorithmOf), size, pool })
  const pending = new Set<Promise<unknown>>()
  try {
    for (let at = 0; at < size; ) {
      const slot = await slots.reserve(Math.min(READ, size - at), signal)
      const bytesRead = await fill(handle, slot.bytes.subarray(0, Math.min(READ, size - at)), at).catch(error => {
        slot.release()
        throw diskError(error, 'read', path)
      })
      const hashed = Promise.resolve(digester.add(at, slot.bytes.subarray(0, bytesRead))).finally(() => {
        slot.release()
        pending.delete(hashed)
      })
      pending.add(hashed)
      // A failure is told by `finish`.
      hashed.catch(() => {})
      if (bytesRead === 0) throw changed(path)
      at += bytesRead
      reading.onProgress?.(bytesRead)
    }
    const { values } = await digester.finish(size)
    return Object.fromEntries(functions.map(name => [name, values[algorithmOf(name)]!]))
  } finally {
    digester.close()
    await Promise.allSettled(pending)
  }
}

async function fill(handle: FileHandle, into: Uint8Array, at: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, at + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

function checkUnchanged(path: string, before: BigIntStats, after: BigIntStats): void {
  if (!isSameState(before, after)) throw changed(path)
}

function changed(path: string): TransferError {
  const message = `Cannot digest ${printable(path)}: it must stay as it is while it is read, it was changed`
  return new TransferError('ResourceChanged', message, { file: path })
}
