/**
 * Writes an archive of many files as the body of an answer whose head has been written: what is small is gathered, so that a
 * thousand files are some tens of writes. Memory is two buffers: one is filled while the other is on its way.
 */
import { read } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { type ArchiveEntry, ArchivePlan } from '@arriero/transfer'
import type { OpenFile } from '../stores/store.ts'
import type { Buffers } from './buffers.ts'
import { ReadFailure } from './send-bytes.ts'

export interface BundleWriterOptions {
  readonly response: ServerResponse
  readonly buffers: Buffers
  /** Aborted when the caller has gone, or is too slow. */
  readonly signal: AbortSignal
}

/** What ends an archive. */
const END = new Uint8Array(1024)

export class BundleWriter implements Disposable {
  readonly #o: BundleWriterOptions
  #buffer: Buffer
  #spare: Buffer
  #filled = 0
  #writing: Promise<void> = Promise.resolve()
  #isIdle = true

  constructor(options: BundleWriterOptions) {
    this.#o = options
    this.#buffer = options.buffers.take()
    this.#spare = options.buffers.take()
  }

  async whole(entry: ArchiveEntry, content: Uint8Array): Promise<void> {
    for (const part of partsOf(entry)) await this.#bytes('bytes' in part ? part.bytes : content)
  }

  /** A header alone. */
  async entry(entry: ArchiveEntry): Promise<void> {
    for (const part of partsOf(entry)) if ('bytes' in part) await this.#bytes(part.bytes)
  }

  /** @throws ReadFailure where the file cannot be read to its end */
  async file(entry: ArchiveEntry, file: OpenFile): Promise<void> {
    for (const part of partsOf(entry)) {
      if ('bytes' in part) await this.#bytes(part.bytes)
      else if (file.fd === undefined) await this.#pieces(file, part.end)
      else await this.#descriptor(file.fd, part.end)
    }
  }

  async end(): Promise<void> {
    await this.#bytes(END)
    await this.#flush()
    await this.#writing
    await new Promise<void>(resolve => this.#o.response.end(resolve))
  }

  isReadFailure(error: unknown): boolean {
    return error instanceof ReadFailure
  }

  /** What the kernel may still be reading is left to the collector. */
  [Symbol.dispose](): void {
    if (!this.#isIdle) return
    for (const buffer of [this.#buffer, this.#spare]) this.#o.buffers.give(buffer)
  }

  async #bytes(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.#room)
      this.#buffer.set(part, this.#filled)
      at += part.length
      await this.#took(part.length)
    }
  }

  async #descriptor(fd: number, size: number): Promise<void> {
    for (let at = 0; at < size; ) {
      const length = await readOnce(fd, this.#buffer, this.#filled, Math.min(this.#room, size - at), at)
      if (length === 0) throw new ReadFailure(`the file ends at byte ${at}`)
      at += length
      await this.#took(length)
    }
  }

  async #pieces(file: OpenFile, size: number): Promise<void> {
    let left = size
    try {
      for await (const piece of file.read(0, size, { signal: this.#o.signal })) {
        left -= piece.length
        await this.#bytes(piece)
      }
    } catch (cause) {
      this.#o.signal.throwIfAborted()
      throw new ReadFailure(cause instanceof Error ? cause.message : String(cause), { cause })
    }
    if (left !== 0) throw new ReadFailure(`the file ends ${left} bytes before it must`)
  }

  get #room(): number {
    return this.#buffer.length - this.#filled
  }

  async #took(length: number): Promise<void> {
    this.#filled += length
    if (this.#room === 0) await this.#flush()
  }

  async #flush(): Promise<void> {
    await this.#writing
    if (this.#filled === 0) return
    const full = this.#buffer.subarray(0, this.#filled)
    ;[this.#buffer, this.#spare] = [this.#spare, this.#buffer]
    this.#filled = 0
    this.#writing = this.#write(full)
    // Its failure is met by whoever waits for it next.
    this.#writing.catch(() => {})
  }

  #write(bytes: Uint8Array): Promise<void> {
    const { response, signal } = this.#o
    signal.throwIfAborted()
    this.#isIdle = false
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      response.write(bytes, error => {
        signal.removeEventListener('abort', onAbort)
        if (error) return reject(error)
        this.#isIdle = true
        resolve()
      })
    })
  }
}

/** Of one entry, without the archive's end. */
function partsOf(entry: ArchiveEntry) {
  const plan = new ArchivePlan([entry])
  return plan.parts(0, plan.size - END.length)
}

function readOnce(fd: number, buffer: Buffer, offset: number, length: number, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, offset, length, at, (cause, done) => {
      if (cause) reject(new ReadFailure(cause.message, { cause }))
      else resolve(done)
    })
  })
}
