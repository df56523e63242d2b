import { createHash, hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type DigestAlgorithm, isDigestAlgorithm } from './algorithms.ts'
import type { Algorithm } from './checksum.ts'
import { type Crc32c, loadNativeCrc32c } from './native-crc32c.ts'
import type { Hasher } from './running-digest.ts'
import { createWasmHasher, isWasmAlgorithm, isWasmLoaded, loadWasm, wasmDigest } from './wasm-hasher.ts'

let nativeCrc32c: Crc32c | undefined

/**
 * Loads what these algorithms need, so that `createHasher` and `digestOf` can be synchronous. Costs nothing for those
 * that Node has built in, and nothing the second time; may run concurrently.
 */
export async function loadHashers(algorithms: Iterable<Algorithm>): Promise<void> {
  for (const algorithm of algorithms) {
    if (algorithm === 'crc32c') nativeCrc32c ??= loadNativeCrc32c()
    if (isWasmAlgorithm(algorithm) && !isLoaded(algorithm)) await loadWasm(algorithm)
  }
}

/** Whether `createHasher(algorithm)` works now. */
export function isLoaded(algorithm: Algorithm): boolean {
  if (!isDigestAlgorithm(algorithm)) return true
  return (
    !isWasmAlgorithm(algorithm) || (algorithm === 'crc32c' && nativeCrc32c !== undefined) || isWasmLoaded(algorithm)
  )
}

/** A new running digest. Throws unless `loadHashers` was awaited for this algorithm. */
export function createHasher(algorithm: DigestAlgorithm): Hasher {
  if (algorithm === 'crc32') return createCrcHasher(crc32)
  if (algorithm === 'crc32c' && nativeCrc32c) return createCrcHasher(nativeCrc32c)
  if (isWasmAlgorithm(algorithm)) return createWasmHasher(algorithm)
  const hasher = createHash(algorithm)
  return {
    update(bytes) {
      hasher.update(bytes)
    },
    digest: () => hasher.digest(),
  }
}

/** The digest of bytes that are all there, without the cost of a running one. Needs `loadHashers` like `createHasher`. */
export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array {
  if (algorithm === 'crc32') return bigEndian(crc32(bytes))
  if (algorithm === 'crc32c' && nativeCrc32c) return bigEndian(nativeCrc32c(bytes))
  if (isWasmAlgorithm(algorithm)) return wasmDigest(algorithm, bytes)
  return hash(algorithm, bytes, 'buffer')
}

/** CRC32C as an unsigned number, for records of the journal. Needs `loadHashers(['crc32c'])`. */
export function crc32cOf(bytes: Uint8Array): number {
  if (nativeCrc32c) return nativeCrc32c(bytes)
  const digest = wasmDigest('crc32c', bytes)
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0)
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function createCrcHasher(crc: Crc32c): Hasher {
  let value = 0
  return {
    update(bytes) {
      value = crc(bytes, value)
    },
    digest: () => bigEndian(value),
  }
}

function bigEndian(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}
