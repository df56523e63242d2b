/**
 * A book without what stands before and behind it (retrieval 3): everything up to the first line with a start marker is
 * dropped, that line included; lines follow up to the first one with an end marker. UTF-8 comes out.
 *
 * Lines end with LF, CRLF or CR, and LF comes out, as in the program that this example retells: it reads with Python's
 * universal newlines. A last line without an end has none afterwards either.
 *
 * Markers are looked for, not lines, so that a book takes a few passes over its bytes, most of them native.
 */

export interface CleanOptions {
  /** `exact`: a second LF behind every line, as that program writes it, byte for byte. Default `once`. */
  readonly lineEndings?: 'once' | 'exact' | undefined
  /** `wide`: also the markers that many books carry instead. Default `narrow`. */
  readonly markers?: 'narrow' | 'wide' | undefined
  /** Default `latin1`, whatever the book is in; see `encodingOf`. */
  readonly encoding?: Encoding | undefined
}

export type Encoding = 'latin1' | 'utf8'

export interface Cleaned {
  readonly content: Uint8Array
  /** Without one the content is empty. */
  readonly hasStart: boolean
  /** Without one the content goes to the end of the book. */
  readonly hasEnd: boolean
}

interface Markers {
  readonly start: readonly string[]
  readonly end: readonly string[]
}

const MARKERS: Readonly<Record<'narrow' | 'wide', Markers>> = {
  narrow: { start: ['START OF THIS PROJECT'], end: ['End of Project'] },
  wide: {
    start: ['START OF THIS PROJECT', 'START OF THE PROJECT GUTENBERG'],
    end: ['End of Project', 'End of the Project', 'END OF THIS PROJECT GUTENBERG', 'END OF THE PROJECT GUTENBERG'],
  },
}

export function clean(book: Uint8Array, options: CleanOptions = {}): Cleaned {
  const { lineEndings = 'once', markers = 'narrow', encoding = 'latin1' } = options
  const bytes = Buffer.from(book.buffer, book.byteOffset, book.length)
  const { start, end } = MARKERS[markers]
  const marked = firstOf(bytes, start, 0)
  if (marked < 0) return { content: new Uint8Array(), hasStart: false, hasEnd: false }
  const begin = afterLine(bytes, marked)
  const last = firstOf(bytes, end, begin)
  const lines = bytes.subarray(begin, last < 0 ? bytes.length : lineStart(bytes, last, begin))
  const text = withLineFeeds(lines, lineEndings === 'exact').toString(encoding)
  return { content: Buffer.from(text, 'utf8'), hasStart: true, hasEnd: last >= 0 }
}

/** What a book is written in, as its kind tells: `-0` is UTF-8, `-8` and all others are ISO-8859-1. */
export function encodingOf(name: string): Encoding {
  return /-0\.txt$/.test(name) ? 'utf8' : 'latin1'
}

const LF = 10
const CR = 13

/** Markers are ASCII, so that they are the same bytes in both encodings. */
function firstOf(bytes: Buffer, markers: readonly string[], from: number): number {
  const found = markers.map(marker => bytes.indexOf(marker, from, 'latin1')).filter(at => at >= 0)
  return found.length === 0 ? -1 : Math.min(...found)
}

function afterLine(bytes: Buffer, from: number): number {
  const ends = [bytes.indexOf(LF, from), bytes.indexOf(CR, from)].filter(at => at >= 0)
  if (ends.length === 0) return bytes.length
  const end = Math.min(...ends)
  return bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1
}

/** Where the line of `at` begins, not before `from`, which begins one. */
function lineStart(bytes: Buffer, at: number, from: number): number {
  const line = bytes.subarray(from, at)
  return from + Math.max(line.lastIndexOf(LF), line.lastIndexOf(CR)) + 1
}

/** Byte for byte: as text, a book with nothing but CR would take seconds. */
function withLineFeeds(bytes: Buffer, isDoubled: boolean): Buffer {
  const out = Buffer.allocUnsafe(bytes.length * (isDoubled ? 2 : 1) + 1)
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    const isEnd = byte === LF || byte === CR
    if (byte === CR && bytes[at + 1] === LF) at++
    out[length++] = isEnd ? LF : byte
    if (isEnd && isDoubled) out[length++] = LF
  }
  // The second one is written behind whatever was read, also behind a last line that has none.
  if (isDoubled && length > 0 && out[length - 1] !== LF) out[length++] = LF
  return out.subarray(0, length)
}
