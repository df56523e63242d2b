/**
 * The CRC of A‖B from the CRCs of A and B and the length of B, so that parts are digested in any order (retrieval 11.4).
 *
 * A CRC is a remainder modulo a polynomial P over GF(2). Appending B multiplies A's polynomial by x^(8·length), so
 * crc(A‖B) = crc(A)·x^(8·length) mod P, plus crc(B); the initial value and the final inversion cancel out. The power
 * comes from repeated squaring: one multiplication per set bit of the length.
 */
import type { CombinableAlgorithm } from './algorithms.ts'

interface Field {
  /** Bits of the CRC. */
  readonly width: number
  /** P without its leading term, reflected: the highest bit is the coefficient of 1. */
  readonly polynomial: bigint
  /** x^(2^k) mod P, by k; grows on demand. */
  readonly squares: bigint[]
  /** x^(8·length) mod P of lengths met lately: nearly all parts have one size. */
  readonly shifts: Map<number, bigint>
}

const fields: Readonly<Record<Exclude<CombinableAlgorithm, 'adler32'>, Field>> = {
  crc32: field(32, 0xedb88320n),
  crc32c: field(32, 0x82f63b78n),
  crc64nvme: field(64, 0x9a6c9329ac4bc9b5n),
}

const MAX_REMEMBERED_SHIFTS = 64

/**
 * The checksum of A‖B, as an unsigned integer.
 *
 * @param a checksum of A
 * @param b checksum of B
 * @param lengthOfB bytes
 */
export function combineCrc(algorithm: CombinableAlgorithm, a: bigint, b: bigint, lengthOfB: number): bigint {
  if (lengthOfB === 0) return a
  if (algorithm === 'adler32') return combineAdler32(a, b, lengthOfB)
  const over = fields[algorithm]
  return multiply(over, shiftBy(over, lengthOfB), a) ^ b
}

const ADLER_MODULUS = 65_521n

/** RFC 1950, 9: the low half is 1 + the sum of the bytes, the high half the sum of the low halves. */
function combineAdler32(a: bigint, b: bigint, lengthOfB: number): bigint {
  const lowA = a & 0xffffn
  const low = lowA + (b & 0xffffn) + ADLER_MODULUS - 1n
  const high = (a >> 16n) + (b >> 16n) + BigInt(lengthOfB) * (lowA + ADLER_MODULUS - 1n)
  return ((high % ADLER_MODULUS) << 16n) | (low % ADLER_MODULUS)
}

function field(width: number, polynomial: bigint): Field {
  return { width, polynomial, squares: [1n << BigInt(width - 2)], shifts: new Map() }
}

/** x^(8·length) mod P. */
function shiftBy(over: Field, length: number): bigint {
  const known = over.shifts.get(length)
  if (known !== undefined) return known
  let power = 1n << BigInt(over.width - 1)
  for (let k = 3, rest = length; rest > 0; k++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(over, power, squareOf(over, k))
  }
  if (over.shifts.size >= MAX_REMEMBERED_SHIFTS) over.shifts.clear()
  over.shifts.set(length, power)
  return power
}

function squareOf(over: Field, k: number): bigint {
  while (over.squares.length <= k) {
    const last = over.squares.at(-1)!
    over.squares.push(multiply(over, last, last))
  }
  return over.squares[k]!
}

/** a·b mod P, with reflected bits. */
function multiply({ width, polynomial }: Field, a: bigint, b: bigint): bigint {
  let product = 0n
  let term = b
  for (let bit = 1n << BigInt(width - 1); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= term
    term = term & 1n ? (term >> 1n) ^ polynomial : term >> 1n
  }
  return product
}
