/**
 * A private file for bytes that arrive. They are copied once, into shared memory, and from there written and hashed at the same
 * time by other threads.
 *
 *     body → slot ─┬→ write at its offset      early writeback, so that the last sync is short
 *                  └→ hash, in order
 *     end of the body → sync → offset told durably → offset
 */
import type { BigIntStats } from 'node:fs'
import { type FileHandle, lstat } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api'
import type { HashPool, PathDigests, PathFunction, Slots } from '@arriero/transfer'
import type { Spool } from '../store.ts'
import { gathered } from './gathered.ts'
import type { Offsets } from './offsets.ts'
import { isSealedMode } from './sealed-mode.ts'
import { createSpoolHash, isInlineSize, type SpoolHash } from './spool-hash.ts'
import { SpoolWriter } from './spool-writer.ts'
import { codeOf, systemError } from './system-error.ts'

export interface OpenSpoolOptions {
  readonly id: string
  readonly path: string
  readonly handle: FileHandle
  /** Durable; what the file has beyond was cut. */
  readonly offset: number
  readonly functions: readonly PathFunction[]
  /** It was prepared: its bytes may be published under a name. */
  readonly isSealed: boolean
  /** Of this process among those that write it; 0: there are no others. */
  readonly turn: number
}

/** What all spools of a store share. */
export interface SpoolParts {
  /** Its name. */
  readonly store: string
  readonly slots: Slots
  readonly pool: HashPool
  readonly offsets: Offsets
  readonly appending: Set<LocalSpool>
  /** Bytes that are gathered for one write: fewer, the more spools are being written. */
  pieceSize(): number
  /** Syncs a file's bytes; those that come together wait together. */
  sync(handle: FileHandle): Promise<void>
  /** Gives the hash the bytes that are there already. */
  readInto(handle: FileHandle, size: number, hash: SpoolHash): Promise<void>
  /** The disk failed under it: its bytes are worthless. */
  condemn(spool: LocalSpool): Promise<void>
}

export class LocalSpool implements Spool {
  readonly id: string
  readonly path: string
  readonly turn: number
  readonly #handle: FileHandle
  readonly #functions: readonly PathFunction[]
  readonly #parts: SpoolParts
  #offset: number
  #hash: SpoolHash | undefined
  /** Bytes that the hash has had. */
  #hashed = 0
  #digests: PathDigests | undefined
  #isAppending = false
  #isSealed: boolean
  #isCondemned = false
  #isClosed = false
  #isInline = false
  /** Of the file when it was closed, where others may have changed it since. */
  #left: string | undefined

  constructor(options: OpenSpoolOptions, parts: SpoolParts) {
    this.id = options.id
    this.path = options.path
    this.turn = options.turn
    this.#handle = options.handle
    this.#offset = options.offset
    this.#functions = options.functions
    this.#isSealed = options.isSealed
    this.#parts = parts
  }

  get offset(): number {
    return this.#offset
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Goes on with the digests of the one that had the same file open before, if they are of just these bytes. */
  inherit(before: LocalSpool): void {
    const isNext = this.turn === 0 || this.turn === before.turn + 1
    const isSame = isNext && before.#offset === this.#offset && before.#hashed === this.#offset
    const isFitting = isSame && before.#functions.join() === this.#functions.join()
    if (!isFitting || before.#isAppending || before.#isCondemned) {
      before.#hash?.close()
      return
    }
    this.#hash = before.#hash
    this.#hashed = before.#hashed
    this.#digests = before.#digests
    this.#isInline = before.#isInline
  }

  /** Nobody may write what is about to be published. */
  seal(): void {
    this.#isSealed = true
  }

  /** Whether its path still leads to the file that this one has open. */
  async isInPlace(): Promise<boolean> {
    const [mine, there] = await Promise.all([
      this.#handle.stat({ bigint: true }).catch(() => undefined),
      lstat(this.path, { bigint: true }).catch(() => undefined),
    ])
    return mine !== undefined && mine.ino === there?.ino
  }

  /** Whether nobody has written to it since this process closed it. */
  async isAsItWasLeft(): Promise<boolean> {
    if (this.turn === 0 || !this.#isClosed) return true
    const there = await lstat(this.path, { bigint: true }).catch(() => undefined)
    return there !== undefined && printOf(there) === this.#left
  }

  /** Of all that is durable, if it was digested while it was written, by these functions at least. */
  async digestsBy(functions: readonly PathFunction[], size: number): Promise<PathDigests | undefined> {
    if (this.#isAppending || this.#isCondemned || this.#offset !== size || this.#hashed !== size) return undefined
    if (!this.#digests) {
      this.#digests = await this.#hash?.digests()
      this.#hash = undefined
    }
    const digests = this.#digests
    return digests && functions.every(name => digests[name] !== undefined) ? digests : undefined
  }

  async append(
    body: AsyncIterable<Uint8Array>,
    {
      signal,
      limit = Number.POSITIVE_INFINITY,
      accept,
    }: { signal?: AbortSignal; limit?: number; accept?: () => boolean } = {},
  ): Promise<number> {
    this.#checkWritable()
    this.#isAppending = true
    this.#parts.appending.add(this)
    try {
      await this.#take(body, { signal, limit, accept })
      return this.#offset
    } catch (error) {
      throw await this.#giveUp(error)
    } finally {
      this.#isAppending = false
      this.#parts.appending.delete(this)
    }
  }

  /** Everything stays for the next who opens it; only its descriptor and its threads are given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.turn > 0) this.#left = await this.#handle.stat({ bigint: true }).then(printOf, () => undefined)
    await this.#handle.close()
  }

  /** Lets go of the digests too. */
  async end(): Promise<void> {
    this.#hash?.close()
    this.#hash = undefined
    await this[Symbol.asyncDispose]()
  }

  #checkWritable(): void {
    const must = (what: string) => new LibrarianError('Conflict', `Cannot append to spool ${this.id}: ${what}`)
    if (this.#isAppending) throw must('there must be one writer at a time, there is another')
    if (this.#isSealed) throw must('it must not have been prepared, it was')
    if (this.#isClosed) throw must('it must be open, it was closed')
    if (this.#isCondemned) throw must('its disk must not have failed, it has; begin anew')
  }

  async #take(
    body: AsyncIterable<Uint8Array>,
    { signal, limit, accept }: { signal: AbortSignal | undefined; limit: number; accept: (() => boolean) | undefined },
  ): Promise<void> {
    // What may still be refused does not count before its end.
    const onDurable = accept ? undefined : (end: number) => this.#tell(end)
    const writer = new SpoolWriter(this.#handle, this.#offset, this.#parts.slots, onDurable)
    try {
      for await (const piece of gathered(body, limit, () => this.#parts.pieceSize(), signal)) {
        await this.#prepareHash(writer.end + piece.length, writer)
        const hash = this.#hash!
        await writer.write(piece, bytes => hash.update(bytes))
        this.#hashed += piece.length
      }
    } finally {
      await writer.idle()
    }
    if (writer.failure !== undefined) throw writer.failure
    if (accept?.() === false) return await this.#forget()
    if (writer.end === this.#offset) return
    await this.#parts.sync(this.#handle)
    await this.#tell(writer.end)
  }

  async #tell(end: number): Promise<void> {
    await this.#parts.offsets.tell(this.id, end, this.turn)
    this.#offset = end
  }

  /** Makes a hash that has all bytes up to here: a new one, or one that reads what was written before. */
  async #prepareHash(size: number, writer: SpoolWriter): Promise<void> {
    const isFitting = this.#hash && this.#hashed === writer.end
    if (isFitting && (!this.#isInline || isInlineSize(size))) return
    await writer.idle()
    // What could not be written cannot be read either, and the reason to tell is the first.
    if (writer.failure !== undefined) throw writer.failure
    this.#hash?.close()
    this.#digests = undefined
    this.#hashed = 0
    // What comes as one small piece is most often all.
    this.#hash = await createSpoolHash(this.#functions, size, this.#parts.pool)
    this.#isInline = isInlineSize(size)
    if (this.#functions.length > 0) await this.#parts.readInto(this.#handle, writer.end, this.#hash)
    this.#hashed = writer.end
  }

  /** After a full disk the bytes before are still good; after any other failure nothing is (reliability 5). */
  async #giveUp(error: unknown): Promise<unknown> {
    this.#hash?.close()
    this.#hash = undefined
    this.#hashed = 0
    const code = codeOf(error)
    if (code === undefined && !(error instanceof LibrarianError)) return error
    const isFull = code === 'ENOSPC' || code === 'EDQUOT'
    if (!isFull || !(await this.#cut())) {
      this.#isCondemned = true
      this.#offset = 0
      await this.#parts.condemn(this)
    }
    return systemError(error, 'write', `spool ${this.id} of store ${this.#parts.store}`)
  }

  /** What was appended does not count: it is cut off, and the digests have had too much. */
  async #forget(): Promise<void> {
    this.#hash?.close()
    this.#hash = undefined
    this.#hashed = 0
    await this.#truncate()
  }

  async #cut(): Promise<boolean> {
    return this.#truncate().then(
      () => true,
      () => false,
    )
  }

  /** Never what was taken for a commit, here or by another process: these bytes may have a name (A4). */
  async #truncate(): Promise<void> {
    const { mode } = await this.#handle.stat()
    if (this.#isSealed || isSealedMode(mode)) {
      throw new LibrarianError('Conflict', `Cannot take back what was appended to spool ${this.id}: it was prepared`)
    }
    await this.#handle.truncate(this.#offset)
  }
}

function printOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino}.${size}.${mtimeNs}`
}
