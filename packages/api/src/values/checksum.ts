/**
 * Checksums on the wire (librarian 6.1, 6.5): `xxh3:::99aa…`. A value without one of the five prefixes is a bare md5 of old;
 * all of its text, an unknown prefix included, is then the digest.
 */
import { LibrarianError } from '../errors.ts'
import { printable } from './characters.ts'

/** Hex digits of each function's digest. `xxh3` is XXH3 with 128 bits. */
export const checksumFunctions = { md5: 32, xxh3: 32, sha1: 40, sha256: 64, sha512: 128 } as const

/** One of `checksumFunctionNames`. */
export type ChecksumFunction = keyof typeof checksumFunctions

/** Names of all digests that the wire knows. */
export const checksumFunctionNames = Object.keys(checksumFunctions) as readonly ChecksumFunction[]

/** A digest as the wire states it. */
export interface Checksum {
  readonly function: ChecksumFunction
  readonly hex: string
}

const prefixed = new RegExp(`^(${checksumFunctionNames.join('|')}):::(.*)$`, 's')

/** Never fails: what has no known prefix is a bare md5. */
export function parseChecksum(text: string): Checksum {
  const found = prefixed.exec(text)
  return found ? { function: found[1] as ChecksumFunction, hex: found[2]! } : { function: 'md5', hex: text }
}

/** The wire form, always with its prefix. */
export function formatChecksum(checksum: Checksum): string {
  return `${checksum.function}:::${checksum.hex}`
}

/** Whether any content could have it: lower-case hex of the function's length. */
export function isWholeChecksum(text: string): boolean {
  const { function: name, hex } = parseChecksum(text)
  return hex.length === checksumFunctions[name] && /^[0-9a-f]*$/.test(hex)
}

/**
 * Whether two checksums are equal.
 *
 * @throws LibrarianError BadRequest where their functions differ: such a pair says nothing about the contents.
 */
export function checksumsMatch(a: string, b: string): boolean {
  const left = parseChecksum(a)
  const right = parseChecksum(b)
  if (left.function === right.function) return left.hex === right.hex
  throw new LibrarianError(
    'BadRequest',
    `Cannot compare checksums: both must be of one function, got ${left.function} (${shown(a)}) and ${right.function} (${shown(b)})`,
    { remedy: `Compute the ${left.function} of both.` },
  )
}

function shown(text: string): string {
  return printable(text.slice(0, 150))
}
