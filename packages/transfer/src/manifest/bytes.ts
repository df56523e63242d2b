import { isUtf8 } from 'node:buffer'
import { TransferError } from '../errors.ts'

/** Longest row, in bytes (reliability 6). */
export const MAX_ROW_BYTES = 1024 * 1024

/**
 * Bytes that arrived and were not consumed, side by side. Chunks are copied once (memory to memory, far cheaper than
 * reading them), so that a row is always one piece, however the input was cut; growth doubles, so tiny chunks cost no more.
 */
export class PendingBytes {
  #buffer = Buffer.allocUnsafe(128 * 1024)
  #start = 0
  #end = 0

  /** Adds a chunk; the answer is everything pending, valid until the next call. */
  append(chunk: Uint8Array): Buffer {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length)
    this.#buffer.set(chunk, this.#end)
    this.#end += chunk.length
    return this.view()
  }

  view(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end)
  }

  /** Forgets the first `count` pending bytes. */
  consume(count: number): void {
    this.#start += count
    if (this.#start === this.#end) this.#start = this.#end = 0
  }

  #makeRoom(length: number): void {
    const pending = this.#end - this.#start
    const old = this.#buffer
    if (pending + length > old.length / 2) this.#buffer = Buffer.allocUnsafe(Math.max(old.length * 2, pending + length))
    old.copy(this.#buffer, 0, this.#start, this.#end)
    this.#start = 0
    this.#end = pending
  }
}

/** The bytes as text; undefined when they are not UTF-8. Makes a text of its own: it keeps no larger one alive. */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString('utf8', start, end)
  // Decoding puts U+FFFD for what is invalid; only then must one look closer.
  return text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end)) ? undefined : text
}

/** Offset in `[start, end)`, from `start`, of the first byte that does not belong to valid UTF-8. */
export function firstInvalidByte(bytes: Buffer, start: number, end: number): number {
  const text = bytes.toString('utf8', start, end)
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', at + 1)) {
    const offset = Buffer.byteLength(text.slice(0, at), 'utf8')
    if (bytes.toString('hex', start + offset, start + offset + 3) !== 'efbfbd') return offset
  }
  return end - start
}

/** Tells the line of ascending positions, looking at each byte once. */
export class LineCounter {
  #line = 1
  #bytes: Buffer = Buffer.alloc(0)
  #next = -1

  /** Other bytes follow, of which the first `counted` are counted already. */
  begin(bytes: Buffer, counted: number): void {
    this.#bytes = bytes
    this.#next = bytes.indexOf(10, counted)
  }

  /** Line of the byte at `position`, from 1. */
  lineAt(position: number): number {
    while (this.#next >= 0 && this.#next < position) {
      this.#line++
      this.#next = this.#bytes.indexOf(10, this.#next + 1)
    }
    return this.#line
  }
}

/** The first bytes of a text, of which there are three or all, without their byte order mark. UTF-16 is refused. */
export function withoutMark(head: Buffer, name: string): Buffer {
  const mark = head.toString('hex', 0, 3)
  if (mark === 'efbbbf') return head.subarray(3)
  if (mark.startsWith('fffe') || mark.startsWith('feff')) {
    throw new TransferError('Usage', `Cannot read ${name}: it must be UTF-8, got UTF-16`)
  }
  return head
}
