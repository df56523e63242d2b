/**
 * The writing of an archive, as a table of where what begins: any part of it can be made without what comes before, so a
 * transfer that broke off goes on where it was and reads only the files from there.
 *
 *     header of each entry    pax records, where its name or size needs them, and a ustar block
 *     data                    of a file, up to a whole block with zeros
 *     end                     two blocks of zeros
 *
 * The same entries in the same order are the same bytes, whoever makes them and when.
 */
import { type ArchiveEntry, BLOCK, padded } from './archive-entry.ts'
import { encodePaxRecords } from './pax-records.ts'
import { encodeUstarHeader, LARGEST_OCTAL, NAME_LENGTH } from './ustar-header.ts'

/** A part of an archive: bytes that are there, or a part of a file's data, which the caller reads. */
export type ArchivePart =
  | { readonly bytes: Uint8Array }
  | { readonly entry: number; readonly start: number; readonly end: number }

/** Where every byte of an archive is, without making it: headers, content, padding. */
export class ArchivePlan<Entry extends ArchiveEntry = ArchiveEntry> {
  readonly entries: readonly Entry[]
  /** Of the whole archive. */
  readonly size: number
  /** Where the entries' headers begin. */
  readonly #starts: Float64Array

  /** @param entries a directory before what is in it, since readers make them in this order */
  constructor(entries: readonly Entry[]) {
    this.entries = entries
    this.#starts = new Float64Array(entries.length)
    let at = 0
    for (const [index, entry] of entries.entries()) {
      this.#starts[index] = at
      at += headerLength(entry) + padded(entry.size)
    }
    this.size = at + 2 * BLOCK
    if (!Number.isSafeInteger(this.size)) throw new RangeError(`Cannot plan an archive of ${this.size} bytes`)
  }

  /** From `start` to `end`, end exclusive, in order; together as long as that. */
  *parts(start: number, end: number): Generator<ArchivePart, void, undefined> {
    if (start < 0 || end > this.size || start > end) {
      throw new RangeError(`Cannot give bytes ${start} to ${end} of an archive of ${this.size}`)
    }
    let at = start
    for (let index = this.#indexAt(start); at < end && index < this.entries.length; index++) {
      for (const part of this.#partsOfEntry(index, at, end)) {
        at += 'bytes' in part ? part.bytes.length : part.end - part.start
        yield part
      }
    }
    if (at < end) yield { bytes: new Uint8Array(end - at) }
  }

  *#partsOfEntry(index: number, start: number, end: number): Generator<ArchivePart, void, undefined> {
    const entry = this.entries[index]!
    const from = this.#starts[index]!
    const data = from + headerLength(entry)
    const padding = data + entry.size
    const next = data + padded(entry.size)
    if (start < data) yield { bytes: headerOf(entry).subarray(Math.max(0, start - from), end - from) }
    const [first, last] = [Math.max(start, data), Math.min(end, padding)]
    if (first < last) yield { entry: index, start: first - data, end: last - data }
    const zeros = Math.min(end, next) - Math.max(start, padding)
    if (zeros > 0) yield { bytes: new Uint8Array(zeros) }
  }

  /** The last entry that begins at or before the offset. */
  #indexAt(offset: number): number {
    let [low, high] = [0, this.entries.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

const encoder = new TextEncoder()
const PLAIN = /^[\x20-\x7e]*$/

/** What readers that know no pax would see; others never do. */
const fallback = (name: string) => encoder.encode(name.replace(/[^\x20-\x7e]/g, '_').slice(0, NAME_LENGTH))

const paxName = encoder.encode('PaxHeader')

function nameOf({ path, type }: ArchiveEntry): string {
  return type === 'directory' ? `${path}/` : path
}

/** Undefined: the entry needs none. */
function paxOf(entry: ArchiveEntry): Uint8Array | undefined {
  const name = nameOf(entry)
  const isPlain = name.length <= NAME_LENGTH && PLAIN.test(name)
  const isSmall = entry.size <= LARGEST_OCTAL
  if (isPlain && isSmall) return undefined
  return encodePaxRecords({ ...(isPlain ? {} : { path: name }), ...(isSmall ? {} : { size: entry.size }) })
}

function headerLength(entry: ArchiveEntry): number {
  const pax = paxOf(entry)
  return pax === undefined ? BLOCK : BLOCK + padded(pax.length) + BLOCK
}

function headerOf(entry: ArchiveEntry): Uint8Array {
  const name = nameOf(entry)
  const pax = paxOf(entry)
  const size = entry.size <= LARGEST_OCTAL ? entry.size : 0
  const own = encodeUstarHeader({ name: fallback(name), typeflag: entry.type === 'directory' ? '5' : '0', size })
  if (pax === undefined) return own
  const header = new Uint8Array(BLOCK + padded(pax.length) + BLOCK)
  header.set(encodeUstarHeader({ name: paxName, typeflag: 'x', size: pax.length }), 0)
  header.set(pax, BLOCK)
  header.set(own, BLOCK + padded(pax.length))
  return header
}
