import type { DigestAlgorithm } from './algorithms.ts'
import { createHasher, digestOf } from './hasher.ts'

/** A digest whose bytes come in order, possibly computed by another thread. */
export interface DigestStream {
  /** Undefined when done at once; else resolves when the bytes are no longer needed. Need not be awaited before the next. */
  update(bytes: Uint8Array): Promise<void> | undefined
  /** Ends the stream. */
  digest(): Uint8Array | Promise<Uint8Array>
  /** Ends the stream without a digest; may follow anything. */
  close(): void
}

/** Where hashing happens: the calling thread, or a pool of workers. */
export interface HashLane {
  open(algorithm: DigestAlgorithm): DigestStream
  /** Digests of one chunk, in the order of the algorithms. */
  digestChunk(
    algorithms: readonly DigestAlgorithm[],
    bytes: Uint8Array,
  ): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
}

/** Hashes on the calling thread, at once. Needs `loadHashers`. */
export const inlineLane: HashLane = {
  open(algorithm) {
    const hasher = createHasher(algorithm)
    return {
      update(bytes) {
        hasher.update(bytes)
        return undefined
      },
      digest: () => hasher.digest(),
      close() {},
    }
  },
  digestChunk: (algorithms, bytes) => algorithms.map(algorithm => digestOf(algorithm, bytes)),
}
