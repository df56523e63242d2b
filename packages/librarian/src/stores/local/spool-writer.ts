import type { FileHandle } from 'node:fs/promises'
import type { Slot, Slots } from '@arriero/transfer'
import type { Gathered } from './gathered.ts'

/** Bytes after which what was written is sent to the disk, without waiting for it. */
const WRITEBACK = 32 << 20

/** How often, at most, an append that goes on tells how far it is durable; ms. */
const TELL_EVERY_MS = 1000

/** Pieces of one spool on their way at once: two are written or hashed while others fill. */
const IN_FLIGHT = 4

/** Writes pieces at their offsets and has them hashed, several at once. */
export class SpoolWriter {
  readonly #handle: FileHandle
  readonly #slots: Slots
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
  constructor(handle: FileHandle, start: number, slots: Slots, onDurable?: (end: number) => Promise<void>) {
    this.#handle = handle
    this.#slots = slots
    this.#onDurable = onDurable
    this.end = start
  }

  async write(piece: Gathered, hash: (bytes: Uint8Array) => Promise<unknown> | undefined): Promise<void> {
    while (this.#busy.size >= IN_FLIGHT) await Promise.race(this.#busy)
    if (this.failure !== undefined) throw this.failure
    const slot = await this.#slots.reserve(piece.length)
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
