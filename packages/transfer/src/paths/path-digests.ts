/** Digests by the names that checksums of librarians use (librarian 6.1). There, `xxh3` is the one of 128 bits. */
import type { DigestAlgorithm } from '../integrity/algorithms.ts'
import { createHasher, digestOf, loadHashers, toHex } from '../integrity/hasher.ts'

/** One of `pathFunctions`. */
export type PathFunction = 'md5' | 'xxh3' | 'sha1' | 'sha256' | 'sha512'

/** Lower-case hex by function. */
export type PathDigests = { readonly [F in PathFunction]?: string }

const algorithms: Readonly<Record<PathFunction, DigestAlgorithm>> = {
  md5: 'md5',
  xxh3: 'xxh128',
  sha1: 'sha1',
  sha256: 'sha256',
  sha512: 'sha512',
}

/** Names of the digests that a librarian keeps of files and trees. */
export const pathFunctions = Object.keys(algorithms) as readonly PathFunction[]

/** The digest that a name of `pathFunctions` stands for. */
export function algorithmOf(name: PathFunction): DigestAlgorithm {
  return algorithms[name]
}

/** Several running digests of the same bytes. */
export interface PathHasher {
  update(bytes: Uint8Array): void
  /** Ends them. */
  digests(): PathDigests
}

/** Makes `createPathHasher` and `digestBytesBy` possible for these functions; costs nothing the second time. */
export async function loadPathFunctions(functions: Iterable<PathFunction>): Promise<void> {
  await loadHashers(Array.from(functions, algorithmOf))
}

/** Needs `loadPathFunctions`. */
export function createPathHasher(functions: Iterable<PathFunction>): PathHasher {
  const hashers = Array.from(new Set(functions), name => ({ name, hasher: createHasher(algorithmOf(name)) }))
  return {
    update(bytes) {
      for (const { hasher } of hashers) hasher.update(bytes)
    },
    digests: () => Object.fromEntries(hashers.map(({ name, hasher }) => [name, toHex(hasher.digest())])),
  }
}

/** The digests of bytes that are all there. Needs `loadPathFunctions`. */
export function digestBytesBy(functions: Iterable<PathFunction>, bytes: Uint8Array): PathDigests {
  return Object.fromEntries(Array.from(functions, name => [name, toHex(digestOf(algorithmOf(name), bytes))]))
}
