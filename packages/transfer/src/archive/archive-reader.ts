/**
 * The reading of an archive from outside, as it comes. It takes what `ArchivePlan` writes and what other programs write as plain
 * POSIX ustar or pax; whatever it does not know it refuses, because two readers that guess differently see two archives.
 *
 * Not promised: that names are harmless or that sizes are small. Who makes files of them looks.
 */
import { TransferError } from '../errors.ts'
import { type ArchiveEntry, BLOCK, padded } from './archive-entry.ts'
import { type PaxRecords, parsePaxRecords } from './pax-records.ts'
import { isZeros, parseUstarHeader } from './ustar-header.ts'

/** What is told of an archive while it is read, in its order. */
export interface ArchiveHandler {
  /** An entry begins; of a file, `bytes` follow as many as its size. */
  begin(entry: ArchiveEntry): void
  /** They are the caller's again when this returns. */
  bytes(bytes: Uint8Array): void
  /** The file that began has all its bytes. */
  finish(): void
}

/** Bytes of pax records before one entry. */
const LONGEST_PAX = 64 << 10

const kinds: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a pipe',
  '7': 'a contiguous file',
  g: 'a global pax header',
  L: 'a GNU long name',
  K: 'a GNU long link',
  S: 'a sparse file',
  V: 'a volume label',
  M: 'a part of another volume',
}

type Phase = 'header' | 'pax' | 'data' | 'padding' | 'end'

/** Reads an archive as its bytes come, in pieces of any size, and tells its handler what is in it. */
export class ArchiveReader {
  readonly #handler: ArchiveHandler
  readonly #block = new Uint8Array(BLOCK)
  #phase: Phase = 'header'
  /** Bytes of the block, or of the records, that are there. */
  #filled = 0
  /** Bytes of data, or of padding, that are to come. */
  #left = 0
  #padding = 0
  #paxBytes = new Uint8Array()
  #pax: PaxRecords | undefined
  #zeroBlocks = 0

  constructor(handler: ArchiveHandler) {
    this.#handler = handler
  }

  /** @throws TransferError Protocol, and what the handler throws */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += this.#take(bytes.subarray(at))
  }

  /** There is nothing more. @throws TransferError Protocol where there should be */
  end(): void {
    if (this.#phase !== 'end' || this.#filled > 0) throw refuse('it must end with two blocks of zeros, it was cut off')
  }

  /** How many of these bytes it took. */
  #take(bytes: Uint8Array): number {
    if (this.#phase === 'data') return this.#takeData(bytes)
    if (this.#phase === 'padding') return this.#takePadding(bytes)
    if (this.#phase === 'pax') return this.#fill(this.#paxBytes, bytes, () => this.#takePax())
    return this.#fill(this.#block, bytes, () => this.#takeBlock())
  }

  #fill(target: Uint8Array, bytes: Uint8Array, whenFull: () => void): number {
    const part = bytes.subarray(0, target.length - this.#filled)
    target.set(part, this.#filled)
    this.#filled += part.length
    if (this.#filled === target.length) {
      this.#filled = 0
      whenFull()
    }
    return part.length
  }

  #takeData(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.#left)
    this.#left -= part.length
    this.#handler.bytes(part)
    if (this.#left === 0) this.#finishData()
    return part.length
  }

  #takePadding(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#padding)
    this.#padding -= count
    if (this.#padding === 0) this.#phase = 'header'
    return count
  }

  #finishData(): void {
    this.#handler.finish()
    this.#phase = this.#padding > 0 ? 'padding' : 'header'
  }

  #takeBlock(): void {
    if (isZeros(this.#block)) {
      if (this.#pax) throw refuse('a pax header must stand before an entry')
      this.#zeroBlocks++
      if (this.#zeroBlocks >= 2) this.#phase = 'end'
      return
    }
    if (this.#zeroBlocks > 0) throw refuse('nothing may follow its end')
    this.#takeHeader()
  }

  #takeHeader(): void {
    const { name, typeflag, size } = understood(() => parseUstarHeader(this.#block))
    if (typeflag === 'x') {
      if (this.#pax) throw refuse('a pax header must stand before an entry, not before another')
      if (size === 0 || size > LONGEST_PAX) throw refuse(`a pax header may have ${LONGEST_PAX} bytes, got ${size}`)
      this.#paxBytes = new Uint8Array(padded(size))
      this.#left = size
      this.#phase = 'pax'
      return
    }
    this.#begin(
      entryOf(
        typeflag,
        understood(() => this.#pax?.path ?? decode(name)),
        this.#pax?.size ?? size,
      ),
    )
  }

  #takePax(): void {
    this.#pax = understood(() => parsePaxRecords(this.#paxBytes.subarray(0, this.#left)))
    this.#left = 0
    this.#phase = 'header'
  }

  #begin(entry: ArchiveEntry): void {
    this.#pax = undefined
    this.#handler.begin(entry)
    if (entry.type === 'directory') return
    this.#left = entry.size
    this.#padding = padded(entry.size) - entry.size
    this.#phase = 'data'
    if (entry.size === 0) this.#finishData()
  }
}

function entryOf(typeflag: string, name: string, size: number): ArchiveEntry {
  if (typeflag === '5') {
    if (size !== 0) throw refuse('a directory must have no bytes')
    return { path: name.replace(/\/$/, ''), type: 'directory', size: 0 }
  }
  if (typeflag === '0' || typeflag === '\0') return { path: name, type: 'file', size }
  const kind = kinds[typeflag] ?? `of the unknown kind ${JSON.stringify(typeflag)}`
  throw refuse(`its entries must be files and directories, one is ${kind}`)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(name: Uint8Array): string {
  try {
    return decoder.decode(name)
  } catch {
    throw new Error('its names must be UTF-8')
  }
}

function understood<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw refuse((error as Error).message)
  }
}

function refuse(why: string): TransferError {
  return new TransferError('Protocol', `Cannot read the archive: ${why}`, {
    retriable: false,
    reason: why,
    remedy: 'Make it as a POSIX archive of plain files and directories: tar --format=pax.',
  })
}
