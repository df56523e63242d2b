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
import type { PathDigests, PathFunction, Slot } from '@arriero/transfer'
import type { Spool } from '../store.ts'
import { createSpoolHash, isInlineSize, type SpoolHash } from './spool-hash.ts'
import type { SpoolParts } from './spools.ts'
import { codeOf, systemError } from './system-error.ts'

/** Bytes after which what was written is sent to the disk, without waiting for it. */
const WRITEBACK = 32 << 20

/** How often, at most, an append that goes on tells how far it is durable; ms. */
const TELL_EVERY_MS = 1000

/** Pieces of one spool on their way at once: two are written or hashed while others fill. */
const IN_FLIGHT = 4

/** Bytes of one piece at most. */
const PIECE = 1 << 20

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
    const writer = new Writer(this.#handle, this.#offset, this.#parts, onDurable)
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
  async #prepareHash(size: number, writer: Writer): Promise<void> {
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
    await this.#handle.truncate(this.#offset)
  }

  async #cut(): Promise<boolean> {
    return this.#handle.truncate(this.#offset).then(
      () => true,
      () => false,
    )
  }
}

function printOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino}.${size}.${mtimeNs}`
}

/** Writes pieces at their offsets and has them hashed, several at once. */
class Writer {
  readonly #handle: FileHandle
  readonly #parts: SpoolParts
  readonly #onDurable: ((end: number) => Promise<void>) | undefined
  readonly #busy = new Set<Promise<unknown>>()
  /** Where pieces begin that are not written yet. */
  readonly #starts = new Set<number>()
  #written = 0
  #toldAt = performance.now()
  #lastWrite: Promise<void> = Promise.resolve()
  #flushing: Promise<void> | undefined
  end: number
  failure: unknown

  /** @param onDurable told now and then up to where all bytes are on the disk */
  constructor(handle: FileHandle, start: number, parts: SpoolParts, onDurable?: (end: number) => Promise<void>) {
    this.#handle = handle
    this.#parts = parts
    this.#onDurable = onDurable
    this.end = start
  }

  async write(piece: Gathered, hash: (bytes: Uint8Array) => Promise<unknown> | undefined): Promise<void> {
    while (this.#busy.size >= IN_FLIGHT) await Promise.race(this.#busy)
    if (this.failure !== undefined) throw this.failure
    const slot = await this.#parts.slots.reserve(piece.length)
    const bytes = slot.bytes.subarray(0, piece.length)
    piece.copyTo(bytes)
    const at = this.end
    this.end += piece.length
    this.#starts.add(at)
    const done = this.#writeAndHash(slot, bytes, at, hash).then(
      () => this.#starts.delete(at),
      error => {
        // Its start stays: nothing behind it is ever told.
        this.failure ??= error
      },
    )
    this.#busy.add(done)
    void done.then(() => this.#busy.delete(done))
    this.#flushEarly(piece.length)
  }

  async idle(): Promise<void> {
    await Promise.all(this.#busy)
    await this.#flushing
  }

  async #writeAndHash(
    slot: Slot,
    bytes: Uint8Array,
    at: number,
    hash: (bytes: Uint8Array) => Promise<unknown> | undefined,
  ): Promise<void> {
    const hashed = hash(bytes)
    const results = await Promise.allSettled([this.#writeInTurn(bytes, at), hashed])
    slot.release()
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** One write at a time: the file system lets no two into one file, and those that wait for it spin. */
  #writeInTurn(bytes: Uint8Array, at: number): Promise<void> {
    const write = () => writeWhole(this.#handle, bytes, at)
    this.#lastWrite = this.#lastWrite.then(write, write)
    return this.#lastWrite
  }

  async #tellDurable(end: number): Promise<void> {
    const now = performance.now()
    if (!this.#onDurable || this.failure !== undefined || now - this.#toldAt < TELL_EVERY_MS) return
    this.#toldAt = now
    await this.#onDurable(end)
  }

  #flushEarly(length: number): void {
    this.#written += length
    if (this.#written < WRITEBACK || this.#flushing) return
    this.#written = 0
    const safe = Math.min(this.end, ...this.#starts)
    this.#flushing = this.#handle
      .datasync()
      .then(() => this.#tellDurable(safe))
      .catch(error => {
        this.failure ??= error
      })
      .finally(() => {
        this.#flushing = undefined
      })
  }
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done)
    done += bytesWritten
  }
}

/** Some pieces of a body as one. */
interface Gathered {
  readonly length: number
  copyTo(bytes: Uint8Array): void
}

/**
 * The body in pieces worth a write. No slot is held while the network is waited for, or slow uploads would hold them all. A body
 * that breaks off, and an abort, end it: what came is kept.
 */
async function* gathered(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  pieceSize: () => number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Gathered> {
  let pieces: Uint8Array[] = []
  let length = 0
  let room = limit
  for await (const piece of untilBroken(body, signal)) {
    for (let at = 0; at < piece.length && room > 0; ) {
      const part = piece.subarray(at, at + Math.min(PIECE - length, room))
      at += part.length
      room -= part.length
      pieces.push(part)
      length += part.length
      if (length < pieceSize()) continue
      yield asOne(pieces, length)
      pieces = []
      length = 0
    }
    if (room === 0) break
  }
  if (length > 0) yield asOne(pieces, length)
}

function asOne(pieces: readonly Uint8Array[], length: number): Gathered {
  return {
    length,
    copyTo(bytes) {
      let at = 0
      for (const piece of pieces) {
        bytes.set(piece, at)
        at += piece.length
      }
    },
  }
}

async function* untilBroken(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]()
  // Not a race against one promise of the abort: that promise would hold on to every piece until the end.
  let wake = () => {}
  const onAbort = () => wake()
  signal?.addEventListener('abort', onAbort, { once: true })
  const next = () =>
    new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
      wake = () => resolve(undefined)
      iterator.next().then(resolve, reject)
    })
  try {
    while (!signal?.aborted) {
      const piece = await next()
      if (!piece || piece.done) return
      yield piece.value
    }
  } catch {
    // The offset tells how much came; who sends the rest asks for it first.
  } finally {
    signal?.removeEventListener('abort', onAbort)
    // A body that hangs must not hold us.
    void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}
