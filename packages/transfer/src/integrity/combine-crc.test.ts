import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { CombinableAlgorithm } from './algorithms.ts'
import { combineCrc } from './combine-crc.ts'
import { digestOf, loadHashers, toHex } from './hasher.ts'

const algorithms = ['crc32', 'crc32c', 'crc64nvme', 'adler32'] as const

beforeAll(() => loadHashers(algorithms))

function checksum(algorithm: CombinableAlgorithm, bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(digestOf(algorithm, bytes))}`)
}

test.each(algorithms)('combineCrc(%s) equals the checksum of the concatenation', algorithm => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ maxLength: 5000 }), (a, b) => {
      const combined = combineCrc(algorithm, checksum(algorithm, a), checksum(algorithm, b), b.length)
      expect(combined).toBe(checksum(algorithm, Buffer.concat([a, b])))
    }),
  )
})

test.each(algorithms)('combineCrc(%s) is associative for lengths up to a pebibyte', algorithm => {
  const width = algorithm === 'crc64nvme' ? 64 : 32
  // Both halves of an Adler-32 are below its modulus.
  const half = fc.bigInt(0n, 65_520n)
  const value =
    algorithm === 'adler32'
      ? fc.tuple(half, half).map(([high, low]) => (high << 16n) | low)
      : fc.bigInt(0n, (1n << BigInt(width)) - 1n)
  const length = fc.integer({ min: 1, max: 2 ** 50 })
  fc.assert(
    fc.property(value, value, value, length, length, (a, b, c, lengthOfB, lengthOfC) => {
      const leftFirst = combineCrc(algorithm, combineCrc(algorithm, a, b, lengthOfB), c, lengthOfC)
      const rightFirst = combineCrc(algorithm, a, combineCrc(algorithm, b, c, lengthOfC), lengthOfB + lengthOfC)
      expect(leftFirst).toBe(rightFirst)
    }),
  )
})

test.each(algorithms)('combineCrc(%s) counts long runs of zeros like reading them', algorithm => {
  const zeros = new Uint8Array(3_000_017)
  const a = Buffer.from('Andes')
  expect(combineCrc(algorithm, checksum(algorithm, a), checksum(algorithm, zeros), zeros.length)).toBe(
    checksum(algorithm, Buffer.concat([a, zeros])),
  )
})
