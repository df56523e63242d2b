/**
 * Sends bytes of an open file as the body of an answer whose head has been written, as fast as the kernel takes them and in
 * bounded memory: two buffers per download, one being read while the other is being sent.
 */
import { read } from 'node:fs'
import type { ServerResponse } from 'node:http'
import type { OpenFile } from '../stores/store.ts'
import type { Buffers } from './buffers.ts'
import type { ByteRange } from './byte-range.ts'

export interface SendOptions {
  readonly file: OpenFile
  readonly range: ByteRange
  readonly response: ServerResponse
  readonly buffers: Buffers
  /** Aborted when the caller has gone, or is too slow. */
  readonly signal: AbortSignal
  /** Asked when all has been read, before the last piece is sent; a throw ends the connection without it. */
  readonly beforeLast: () => Promise<void>
}

/** Reading failed: of a caller who has gone nothing is said. */
export class ReadFailure extends Error {}

export async function sendBytes(options: SendOptions): Promise<void> {
  const { file, range, signal, response } = options
  const writer = new Writer(response, signal)
  const send = file.fd === undefined ? sendPieces : sendFromDescriptor
  if (range.start === range.end) await options.beforeLast()
  else await send(options, writer)
}

async function sendFromDescriptor({ file, range, buffers, beforeLast }: SendOptions, writer: Writer): Promise<void> {
  const fd = file.fd as number
  const pair = [buffers.take(), buffers.take()] as const
  let isBusy = false
  const fill = async (buffer: Buffer, at: number): Promise<Buffer> => {
    isBusy = true
    const piece = buffer.subarray(0, Math.min(buffer.length, range.end - at))
    await readFully(fd, piece, at)
    isBusy = false
    return piece
  }
  let turn = 0
  let at = range.start
  let next: Promise<Buffer> | undefined = fill(pair[0], at)
  try {
    while (next) {
      const piece: Buffer = await next
      at += piece.length
      turn = 1 - turn
      next = at < range.end ? fill(pair[turn] as Buffer, at) : undefined
      // Its failure is met when its turn comes; until then nobody may call it unhandled.
      next?.catch(() => {})
      if (!next) await beforeLast()
      await writer.write(piece)
    }
  } catch (error) {
    await next?.catch(() => {})
    throw error
  } finally {
    // What the kernel may still be reading or writing is left to the collector.
    if (!isBusy && writer.isIdle) for (const buffer of pair) buffers.give(buffer)
  }
}

async function sendPieces({ file, range, signal, beforeLast }: SendOptions, writer: Writer): Promise<void> {
  let left = range.end - range.start
  for await (const piece of readPieces(file, range, signal)) {
    left -= piece.length
    if (left === 0) await beforeLast()
    await writer.write(piece)
  }
  if (left !== 0) throw new ReadFailure(`the file ends ${left} bytes before it must`)
}

async function* readPieces(file: OpenFile, { start, end }: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* file.read(start, end, { signal })
  } catch (cause) {
    signal.throwIfAborted()
    throw new ReadFailure(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

async function readFully(fd: number, piece: Buffer, at: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const length = await readOnce(fd, piece, done, at + done)
    if (length === 0) throw new ReadFailure(`the file ends at byte ${at + done}`)
    done += length
  }
}

function readOnce(fd: number, piece: Buffer, offset: number, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, piece, offset, piece.length - offset, at, (cause, length) => {
      if (cause) reject(new ReadFailure(cause.message, { cause }))
      else resolve(length)
    })
  })
}

/** Writes that resolve when the kernel has taken them, also when the connection dies meanwhile. */
class Writer {
  readonly #response: ServerResponse
  readonly #signal: AbortSignal
  /** No write is under way. */
  isIdle = true

  constructor(response: ServerResponse, signal: AbortSignal) {
    this.#response = response
    this.#signal = signal
  }

  write(piece: Uint8Array): Promise<void> {
    const signal = this.#signal
    signal.throwIfAborted()
    this.isIdle = false
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#response.write(piece, error => {
        signal.removeEventListener('abort', onAbort)
        if (error) return reject(error)
        this.isIdle = true
        resolve()
      })
    })
  }
}
