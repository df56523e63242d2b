/** One header block of POSIX ustar, to and from bytes. */
import { BLOCK } from './archive-entry.ts'

export interface UstarHeader {
  /** As bytes in the block; `prefix` and its slash included. */
  readonly name: Uint8Array
  readonly typeflag: string
  readonly size: number
}

/** Bytes of `name` alone; what is longer goes into a pax record. */
export const NAME_LENGTH = 100

/** The largest number of eleven octal digits: 8 GiB less one. */
export const LARGEST_OCTAL = 0o77777777777

const MAGIC = 'ustar\x0000'

const encoder = new TextEncoder()

/** What depends on who sends, and when, is the same in every archive: mode, owner, time. */
export function encodeUstarHeader({ name, typeflag, size }: UstarHeader): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK)
  const put = (at: number, text: string) => block.set(encoder.encode(text), at)
  block.set(name, 0)
  put(100, typeflag === '5' ? '0000755\0' : '0000644\0')
  put(108, '0000000\0')
  put(116, '0000000\0')
  put(124, `${size.toString(8).padStart(11, '0')}\0`)
  put(136, '00000000000\0')
  put(156, typeflag)
  put(257, MAGIC)
  put(329, '0000000\0')
  put(337, '0000000\0')
  put(148, `${sumOf(block).toString(8).padStart(6, '0')}\0 `)
  return block
}

/** @throws Error with why it is none, as the end of a sentence */
export function parseUstarHeader(block: Uint8Array): UstarHeader {
  if (octalAt(block, 148, 8) !== sumOf(block)) throw new Error('a header must have its checksum')
  if (textAt(block, 257, 8) !== MAGIC) {
    throw new Error('it must be a POSIX archive (ustar or pax), it has another kind of header')
  }
  const name = untilZero(block.subarray(0, NAME_LENGTH))
  const prefix = untilZero(block.subarray(345, 500))
  return {
    name: prefix.length === 0 ? name : Uint8Array.from([...prefix, 0x2f, ...name]),
    typeflag: textAt(block, 156, 1),
    size: octalAt(block, 124, 12),
  }
}

export function isZeros(block: Uint8Array): boolean {
  return block.every(byte => byte === 0)
}

/** Of all bytes, its own field taken as blanks. */
function sumOf(block: Uint8Array): number {
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at]!
  return sum
}

/** Digits only: the sign bit and the binary form of other programs would be numbers that nobody meant. */
function octalAt(block: Uint8Array, at: number, length: number): number {
  const text = textAt(block, at, length)
  const [, digits] = /^ *([0-7]+)[ \0]*$/.exec(text) ?? []
  if (digits === undefined) throw new Error('a number in a header must be octal digits')
  return Number.parseInt(digits, 8)
}

function textAt(block: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...block.subarray(at, at + length))
}

function untilZero(field: Uint8Array): Uint8Array {
  const end = field.indexOf(0)
  return end === -1 ? field : field.subarray(0, end)
}
