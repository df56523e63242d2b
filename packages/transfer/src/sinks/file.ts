/**
 * A file that appears under its name only when it is complete, verified and durable (retrieval 10, 12; reliability A).
 *
 *     fits into one part    its bytes stay in their slot until they are verified; the group commit writes them
 *     larger                NAME.part beside the target, with NAME.part.journal for a later run
 */
import { statfs, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { diskError } from '../disk-error.ts'
import { TransferError } from '../errors.ts'
import type { Names } from '../existing-names.ts'
import { crc32cOf, loadHashers } from '../integrity/hasher.ts'
import type { Verification } from '../integrity/verification.ts'
import { blockRanges, type JournalHeader, resourceOf, whyNotResume } from '../journal.ts'
import type { FileOptions } from '../options.ts'
import { newOwner } from '../owner.ts'
import { makeDirectory } from '../publish/directories.ts'
import type { Conflict } from '../publish/job.ts'
import type { Publisher } from '../publish/publisher.ts'
import type { Staging } from '../publish/staging.ts'
import type { Resource } from '../resource.ts'
import type { Chunk, Earlier, Sink } from '../sink.ts'
import { JournalFile } from './journal-file.ts'
import { claimLeftovers, claimTarget, type Leftovers } from './leftovers.ts'
import { PartFile } from './part-file.ts'
import { partPathOf } from './part-path.ts'
import { soundBlocks } from './sound-blocks.ts'

const PAGE = 4096
/** What has come of a small file is worth a part file and a journal from so many bytes on. */
const LEAST_KEPT = 1 << 20

export interface FileSinkOptions {
  readonly options: FileOptions
  /** Use what an earlier run left, and leave something to a later one. */
  readonly mayResume: boolean
  /** Absolute path of the file. */
  readonly path: string
  /** The path is a guess until `rename` confirms it: only an earlier run of the very same URL may be continued. */
  readonly isGuess?: boolean | undefined
  readonly names: Names
  /** The redacted URL, and a hash that identifies the unredacted one. */
  readonly resource: { readonly shownUri: string; readonly uriHash: string }
  /** What the caller demands, `alg:hex`: goes into the journal, and lets a resume be judged by its outcome. */
  readonly checksums: readonly string[]
  /** Files up to this size come as one chunk and are published in groups. */
  readonly smallLimit: number
  readonly publisher: Publisher
  readonly staging: Staging
}

export interface FileSink extends Sink<{ readonly path: string }> {
  readBack(offset: number, into: Uint8Array): Promise<void>
  /** Bytes that an earlier run left and that are used. */
  readonly resumedBytes: number
  /** What an earlier run left beside the path is in our hands. */
  readonly hasClaimed: boolean
  /** After `abort`: what was kept, by whether the same call will go on with it, or only one that allows a weak resume. */
  readonly kept: 'resumable' | 'unproven' | undefined
  /** The final path, known from the answer's head; before `open`. */
  rename(path: string): void
}

export function createFileSink(options: FileSinkOptions): FileSink {
  return new TargetFile(options)
}

class TargetFile implements FileSink {
  readonly capabilities = { order: 'any' } as const
  readonly #o: FileSinkOptions
  #leftovers: Leftovers | undefined
  #resource: Resource | undefined
  /** The one chunk of a small file. */
  #small: Chunk | undefined
  #isSmall = false
  /** Set when a file that should have come as one chunk did not. */
  #spilling: Promise<void> | undefined
  #part: PartFile | undefined
  /** Where our own bytes are, also when the file is closed already. */
  #partPath: string | undefined
  /** A sync failed: what is on the disk is not known any more, whatever reads of it say (reliability 7.5). */
  #isCondemned = false
  #journal: JournalFile | undefined
  /** What that journal begins with. */
  #header: JournalHeader | undefined
  #blocks = 0
  #path: string
  resumedBytes = 0
  kept: FileSink['kept']

  constructor(options: FileSinkOptions) {
    this.#o = options
    this.#path = options.path
  }

  get hasClaimed(): boolean {
    return this.#leftovers !== undefined
  }

  rename(path: string): void {
    this.#path = path
  }

  async prepare(): Promise<Earlier | undefined> {
    const { names, isGuess, checksums, options, mayResume } = this.#o
    const path = this.#path
    await names.look(path)
    const partPath = partPathOf(path)
    if (!['', '.journal', '.claim'].some(end => names.mayExist(`${partPath}${end}`))) return undefined
    const { uriHash } = this.#o.resource
    const leftovers = await claimLeftovers(path, isGuess ? uriHash : undefined)
    this.#leftovers = leftovers
    if (!leftovers?.journal || !mayResume) return undefined
    const { header, blocks } = leftovers.journal
    if (header.uriHash !== uriHash && checksums.length === 0) return undefined
    const part = await PartFile.reopen(leftovers.partPath).catch(() => undefined)
    if (!part) return undefined
    this.#part = part
    await loadHashers(['crc32c'])
    const sound = await soundBlocks(part, blocks, options.resumeVerify ?? 'all')
    leftovers.sound = sound
    if (sound.length === 0) return undefined
    return {
      resource: resourceOf(header),
      ranges: blockRanges(sound),
      whyNot: now =>
        whyNotResume(header, now, { hasDigest: checksums.length > 0, allowWeak: options.allowWeakResume === true }),
    }
  }

  open(resource: Resource, { isResumed }: { readonly isResumed: boolean }): Promise<void> | undefined {
    this.#resource = resource
    const { size } = resource
    this.#isSmall = !isResumed && size !== undefined && size <= this.#o.smallLimit
    if (!this.#isSmall) return this.#openPart(resource, isResumed)
    if (this.#leftovers) return this.#discard().then(() => this.#o.staging.prepare())
    return this.#o.staging.prepare()
  }

  write(chunk: Chunk): Promise<void> | undefined {
    if (this.#isSmall && chunk.bytes.length === this.#resource?.size) {
      chunk.slot.retain()
      this.#small = chunk
      return undefined
    }
    return this.#writeLarge(chunk)
  }

  /** Whole pages, so that the parts of the next run are aligned as those of this one. */
  keep({ offset, bytes, slot }: Chunk): Promise<void> | undefined {
    const size = this.#resource?.size
    if (!this.#o.mayResume || size === undefined) return undefined
    if (this.#isSmall && bytes.length < LEAST_KEPT) return undefined
    const end = offset + bytes.length
    const length = (end === size ? end : end - (end % PAGE)) - offset
    return length > 0 ? this.#writeLarge({ offset, bytes: bytes.subarray(0, length), slot }) : undefined
  }

  async readBack(offset: number, into: Uint8Array): Promise<void> {
    if (this.#part) return this.#part.read(offset, into)
    if (!this.#small) throw new Error('There is nothing to read back')
    into.set(this.#small.bytes.subarray(offset, offset + into.length))
  }

  async commit(verification: Verification): Promise<{ readonly path: string }> {
    const path = this.#isSmall ? await this.#commitSmall() : await this.#commitPart(verification.size)
    return { path }
  }

  async abort(reason: unknown): Promise<void> {
    this.#small?.slot.release()
    this.#small = undefined
    const isWorthless = this.#resource ? isFinal(reason) : isOutdated(reason)
    if (isWorthless || this.#isCondemned || !this.#hasWorth) return this.#discard()
    this.kept = this.#worth
    await this.#journal?.close().catch(() => {})
    await this.#part?.close().catch(() => {})
    await this.#leftovers?.release()
    this.#journal = undefined
    this.#part = undefined
  }

  // Small files

  async #commitSmall(): Promise<string> {
    const { publisher, staging } = this.#o
    const path = this.#path
    const chunk = this.#small
    this.#small = undefined
    try {
      return await publisher.publish({
        content: { slot: chunk?.slot, length: chunk?.bytes.length ?? 0 },
        temp: staging.next(),
        final: path,
        ...this.#publication(),
      })
    } finally {
      chunk?.slot.release()
    }
  }

  // Larger files

  #writeLarge(chunk: Chunk): Promise<void> {
    if (this.#isSmall) {
      this.#isSmall = false
      this.#spilling = this.#openPart(this.#resource as Resource, false)
    }
    return this.#spilling ? this.#spilling.then(() => this.#writePart(chunk)) : this.#writePart(chunk)
  }

  async #openPart(resource: Resource, isResumed: boolean): Promise<void> {
    const { options, mayResume, names } = this.#o
    const path = this.#path
    await loadHashers(['crc32c'])
    const earlier = this.#leftovers
    if (isResumed && earlier?.journal && this.#part) {
      const sound = earlier.sound
      this.#partPath = earlier.partPath
      this.#header = { ...this.#headerFor(resource), ...this.#provenOf(earlier.journal.header, resource) }
      this.#journal = await JournalFile.replace(earlier.journalPath, this.#header, sound)
      await earlier.release()
      this.resumedBytes = sound.reduce((sum, { length }) => sum + length, 0)
      return
    }
    await this.#part?.close().catch(() => {})
    this.#part = undefined
    await earlier?.clear()
    await makeDirectory(dirname(path))
    await ensureSpace(path, resource.size ?? 0)
    const leftovers = earlier ?? (await claimTarget(path))
    this.#leftovers = leftovers
    await leftovers.clear()
    const { partPath } = leftovers
    names.note(partPath)
    if (resource.size !== undefined && mayResume) {
      this.#header = this.#headerFor(resource)
      this.#journal = await JournalFile.create(`${partPath}.journal`, this.#header).catch(error => {
        throw (error as NodeJS.ErrnoException).code === 'EEXIST'
          ? locked(path)
          : diskError(error, 'create', `${partPath}.journal`)
      })
    }
    this.#part = await PartFile.create(partPath, options.durability === 'none' ? 0 : (resource.size ?? 0))
    this.#partPath = partPath
    await leftovers.release()
  }

  #headerFor(resource: Resource): JournalHeader {
    const { resource: source, checksums } = this.#o
    const { shownUri: uri, uriHash } = source
    const { etag, lastModified, date, version } = resource
    const size = resource.size as number
    return { uri, uriHash, size, etag, lastModified, date, version, checksums, owner: newOwner() }
  }

  /**
   * What a journal that was taken over may say of the version. Bytes that were joined on the word of a digest alone may
   * be of two versions: without validators, a later run needs that digest as well.
   */
  #provenOf(earlier: JournalHeader, now: Resource): Partial<JournalHeader> {
    const why = whyNotResume(earlier, now, { hasDigest: false, allowWeak: this.#o.options.allowWeakResume === true })
    if (why === undefined) return { date: earlier.date }
    return { date: earlier.date, etag: undefined, lastModified: undefined, version: undefined }
  }

  async #writePart({ offset, bytes }: Chunk): Promise<void> {
    await (this.#part as PartFile).write(offset, bytes)
    this.#blocks++
    this.#journal?.append({ offset, length: bytes.length, crc32c: crc32cOf(bytes) })
  }

  async #commitPart(size: number): Promise<string> {
    const { publisher, options } = this.#o
    const path = this.#path
    const part = this.#part as PartFile
    await part.setLength(size)
    const mtimeMs = this.#publication().mtimeMs
    if (mtimeMs !== undefined) await part.setTime(mtimeMs)
    this.#isCondemned = true
    if (options.durability !== 'none') await part.sync()
    await part.close()
    this.#isCondemned = false
    this.#part = undefined
    const final = await publisher.publish({ content: undefined, temp: part.path, final: path, ...this.#publication() })
    // In this order: a NAME.part without a journal would be taken for somebody else's.
    if (await isRemoved(part.path)) await this.#journal?.remove()
    else await this.#journal?.close().catch(() => {})
    this.#journal = undefined
    return final
  }

  // Both

  #publication(): { root: string; conflict: Conflict; mtimeMs: number | undefined; isDurable: boolean } {
    const { options, staging } = this.#o
    const { ifExists, preserveTime, durability } = options
    return {
      root: staging.root,
      conflict: conflictOf(ifExists),
      mtimeMs: preserveTime ? this.#resource?.lastModified : undefined,
      isDurable: durability !== 'none',
    }
  }

  /** A later run can go on with what is there: blocks of ours, or those of an earlier run that we did not come to use. */
  get #hasWorth(): boolean {
    const leftovers = this.#leftovers
    if (this.#resource === undefined) return leftovers !== undefined
    const hasBlocks = this.#blocks + (leftovers?.sound.length ?? 0) > 0
    // Without a journal, as when the size was unknown, nobody can tell what is there.
    return this.#o.mayResume && hasBlocks && (this.#journal !== undefined || this.#blocks === 0)
  }

  /** What a later call makes of it, if the source has not changed by then. */
  get #worth(): FileSink['kept'] {
    const { checksums, options, mayResume } = this.#o
    const header = this.#resource ? this.#header : this.#leftovers?.sound.length && this.#leftovers.journal?.header
    if (!header || !mayResume || (this.#resource && this.#resource.ranges !== 'yes')) return undefined
    const hasDigest = checksums.length > 0
    const isTaken = (allowWeak: boolean) =>
      whyNotResume(header, resourceOf(header), { hasDigest, allowWeak }) === undefined
    if (isTaken(options.allowWeakResume === true)) return 'resumable'
    return isTaken(true) ? 'unproven' : undefined
  }

  /** Removes all traces of this and, once it is claimed, of an earlier run. */
  async #discard(): Promise<void> {
    await this.#part?.close().catch(() => {})
    this.#part = undefined
    // In this order: a NAME.part without a journal would be taken for somebody else's.
    if (this.#partPath) await unlink(this.#partPath).catch(() => {})
    this.#partPath = undefined
    await this.#journal?.remove()
    this.#journal = undefined
    await this.#leftovers?.clear()
    await this.#leftovers?.release()
  }
}

/** Failures that say that an earlier run's bytes, still unused, can never be gone on with. */
function isOutdated(reason: unknown): boolean {
  return reason instanceof TransferError && ['ResourceChanged', 'RangeUnsupported'].includes(reason.code)
}

/** Failures after which the bytes on disk are worth nothing. */
function isFinal(reason: unknown): boolean {
  const codes = [
    'ChecksumMismatch',
    'SizeMismatch',
    'ResourceChanged',
    'RangeUnsupported',
    'Unverifiable',
    'Exists',
    'PathUnsafe',
    'AmbiguousEncoding',
  ]
  return reason instanceof TransferError && codes.includes(reason.code)
}

async function isRemoved(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

function conflictOf(ifExists: FileOptions['ifExists']): Conflict {
  if (ifExists === 'repair') return 'overwrite'
  return ifExists === 'overwrite' || ifExists === 'rename' ? ifExists : 'error'
}

function locked(path: string): TransferError {
  return new TransferError('Locked', `Cannot fetch ${path}: another process has just begun it`, { file: path })
}

async function ensureSpace(path: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path)).catch(error => {
    throw diskError(error, 'create', path)
  })
  const free = bavail * bsize
  if (free >= needed) return
  const message = `Cannot write ${path}: it needs ${needed} bytes and ${free} are free`
  throw new TransferError('NoSpace', message, { file: path, needed, free })
}
