/**
 * Reads an uncompressed tar archive as it comes: POSIX ustar, with the extended names and sizes of pax (`x`) and the long
 * names of GNU (`L`) (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format"). Pieces may be cut
 * anywhere. Only regular files are told; directories, links and the rest are passed over.
 */
import { TransferError } from '../errors.ts'

/** A regular file of an archive. */
export interface TarMember {
  /** As the archive has it: an outside name. */
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** Hears of the files in their order: `begin`, `data` until all bytes have come, `end`. */
export interface TarListener {
  begin(member: TarMember): void
  /** A view of what was pushed: valid until the call returns. Never empty. */
  data(bytes: Uint8Array): void
  /** All of its bytes have come. */
  end(): void
}

const BLOCK = 512
/** Longer extended headers are no names. */
const MOST_EXTENDED = 1 << 20

/** What is being read: bytes of one kind, and how many of them are to come. */
type Section = 'header' | 'file' | 'extended' | 'skipped' | 'padding' | 'over'

interface Header {
  readonly path: string
  readonly size: number
  readonly type: string
}

export class TarReader {
  readonly #listener: TarListener
  #section: Section = 'header'
  /** Bytes of the section that are to come. */
  #left = BLOCK
  #padding = 0
  readonly #block = Buffer.alloc(BLOCK)
  #extended: Buffer = Buffer.alloc(0)
  #extendedType = ''
  #hadZeros = false
  /** What extended headers say of the next file. */
  #longPath: string | undefined
  #longSize: number | undefined

  constructor(listener: TarListener) {
    this.#listener = listener
  }

  /** Whether the blocks have come that end an archive. What follows them is passed over. */
  get isEnded(): boolean {
    return this.#section === 'over'
  }

  /** @throws TransferError Protocol where the archive is none; nothing may be pushed afterwards */
  push(bytes: Uint8Array): void {
    let rest = bytes
    while (rest.length > 0 && this.#section !== 'over') {
      const piece = rest.subarray(0, this.#left)
      rest = rest.subarray(piece.length)
      this.#take(piece)
      this.#left -= piece.length
      while (this.#left === 0 && !this.isEnded) this.#finish()
    }
  }

  #take(piece: Uint8Array): void {
    switch (this.#section) {
      case 'header':
        this.#block.set(piece, BLOCK - this.#left)
        break
      case 'extended':
        this.#extended.set(piece, this.#extended.length - this.#left)
        break
      case 'file':
        this.#listener.data(piece)
        break
    }
  }

  /** The section is complete. */
  #finish(): void {
    switch (this.#section) {
      case 'header':
        return this.#readHeader()
      case 'extended':
        this.#readExtended()
        break
      case 'file':
        this.#listener.end()
        break
    }
    if (this.#section !== 'padding') this.#enter('padding', this.#padding)
    else this.#enter('header', BLOCK)
  }

  #enter(section: Section, length: number): void {
    this.#section = section
    this.#left = length
  }

  #readHeader(): void {
    if (this.#block.every(byte => byte === 0)) {
      if (this.#hadZeros) this.#section = 'over'
      this.#hadZeros = true
      return this.#enter(this.#section, BLOCK)
    }
    if (this.#hadZeros) throw notTar('an empty block stands in the middle of it')
    const header = parseHeader(this.#block)
    if (header.type === 'x' || header.type === 'L') return this.#beginExtended(header)
    const isFile = FILES.has(header.type)
    const path = this.#longPath ?? header.path
    const size = EMPTY.has(header.type) ? 0 : (this.#longSize ?? header.size)
    // A global header says nothing of the next file, and what was said of that still holds.
    if (header.type !== 'g' && header.type !== 'K') this.#longPath = this.#longSize = undefined
    this.#padding = paddingOf(size)
    // Before POSIX a directory was a file whose name ends with a slash.
    if (!isFile || path.endsWith('/')) return this.#enter('skipped', size)
    this.#enter('file', size)
    this.#listener.begin({ path, size })
  }

  #beginExtended({ type, size }: Header): void {
    if (size > MOST_EXTENDED) throw notTar(`a name must not take more than ${MOST_EXTENDED} bytes, got ${size}`)
    this.#extended = Buffer.alloc(size)
    this.#extendedType = type
    this.#padding = paddingOf(size)
    this.#enter('extended', size)
  }

  #readExtended(): void {
    if (this.#extendedType === 'L') {
      this.#longPath = textOf(this.#extended)
      return
    }
    const { path, size } = parsePax(this.#extended)
    this.#longPath = path ?? this.#longPath
    this.#longSize = size ?? this.#longSize
  }
}

/** Regular and contiguous files; `\0` before POSIX. */
const FILES = new Set(['0', '\0', '7'])
/** Links, devices, directories and pipes: their size, if any, is not one of bytes that follow. */
const EMPTY = new Set(['1', '2', '3', '4', '5', '6'])

function parseHeader(block: Buffer): Header {
  const stated = parseNumber(block.subarray(148, 156))
  if (stated !== sumOf(block)) throw notTar('the checksum of a header must match its bytes')
  const name = textOf(block.subarray(0, 100))
  // GNU's own headers have other things in the place of the prefix.
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isPosix ? textOf(block.subarray(345, 500)) : ''
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    size: parseNumber(block.subarray(124, 136)),
    type: String.fromCharCode(block[156] as number),
  }
}

/** The sum of all bytes, those of the checksum itself taken for blanks. */
function sumOf(block: Buffer): number {
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] as number
  return sum
}

/** Octal digits among blanks, or in base 256 where the first bit is set (GNU). */
function parseNumber(field: Buffer): number {
  if (((field[0] as number) & 0x80) === 0) {
    const text = /^[ ]*([0-7]*)[ \0]*$/.exec(field.toString('latin1'))?.[1]
    if (text === undefined) throw notTar('a number of a header must be octal')
    return text === '' ? 0 : Number.parseInt(text, 8)
  }
  // The bits below the mark belong to the number; all of them set is a negative one.
  let value = (field[0] as number) & 0x7f
  for (const byte of field.subarray(1)) value = value * 256 + byte
  if (!Number.isSafeInteger(value)) throw notTar('a size must be from 0 to 2^53 - 1')
  return value
}

/** Records `<length> <key>=<value>\n`, the length in bytes and of the whole record. */
function parsePax(records: Buffer): { path?: string | undefined; size?: number | undefined } {
  let path: string | undefined
  let size: number | undefined
  for (let at = 0; at < records.length; ) {
    const blank = records.indexOf(0x20, at)
    const digits = blank < 0 ? '' : records.toString('latin1', at, blank)
    const end = at + Number(digits)
    const isRecord = /^\d{1,9}$/.test(digits) && end > blank && end <= records.length && records[end - 1] === 0x0a
    if (!isRecord) throw notTar('an extended header must hold records')
    const record = records.toString('utf8', blank + 1, end - 1)
    const equals = record.indexOf('=')
    const value = record.slice(equals + 1)
    if (record.startsWith('path=')) path = value
    if (record.startsWith('size=')) size = parseSize(value)
    at = end
  }
  return { path, size }
}

function parseSize(text: string): number {
  const size = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(size)) throw notTar('a size must be from 0 to 2^53 - 1')
  return size
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

function notTar(rule: string): TransferError {
  return new TransferError('Protocol', `Cannot read a tar archive: ${rule}`, { retriable: false })
}
