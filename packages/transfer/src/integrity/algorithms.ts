import type { Algorithm } from './checksum.ts'

/** Algorithms that are computed from bytes alone: all but the S3 ETag, which is a layout, and `null`. */
export type DigestAlgorithm = Exclude<Algorithm, 's3_etag' | 'null'>

/** Algorithms whose chunks are digested in any order and combined (retrieval 11.4). */
export type CombinableAlgorithm = 'crc32' | 'crc32c' | 'crc64nvme' | 'adler32'

/** Bytes of a digest. */
export const digestBytes: Readonly<Record<DigestAlgorithm, number>> = {
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha512: 64,
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  adler32: 4,
  xxh3: 8,
  xxh128: 16,
  blake3: 32,
}

/** Names of all digests that can be computed. */
export const digestAlgorithms = Object.keys(digestBytes) as readonly DigestAlgorithm[]

/** Spellings after lower-casing and dropping `-`, `_` and blanks. */
const spellings: Readonly<Record<string, Algorithm>> = {
  ...Object.fromEntries(digestAlgorithms.map(algorithm => [algorithm, algorithm])),
  xxh364: 'xxh3',
  xxh3128: 'xxh128',
  s3etag: 's3_etag',
  etag: 's3_etag',
  gscrc32c: 'crc32c',
  null: 'null',
}

/** The names to show to people, `gs_crc32c` included, which is another spelling of `crc32c`. */
export const algorithmNames: readonly string[] = [...digestAlgorithms, 's3_etag', 'gs_crc32c', 'null']

export function isDigestAlgorithm(algorithm: Algorithm): algorithm is DigestAlgorithm {
  return algorithm !== 's3_etag' && algorithm !== 'null'
}

export function isCombinable(algorithm: Algorithm): algorithm is CombinableAlgorithm {
  return algorithm === 'crc32c' || algorithm === 'crc32' || algorithm === 'crc64nvme' || algorithm === 'adler32'
}

/** The algorithm that a name means: `SHA-256`, `sha256` and `Sha_256` are one. Undefined for any other name. */
export function algorithmByName(name: string): Algorithm | undefined {
  const key = simplify(name)
  return Object.hasOwn(spellings, key) ? spellings[key] : undefined
}

/** The known name with the fewest edits from `name`; undefined when nothing is near. */
export function nearestAlgorithmName(name: string): string | undefined {
  const key = simplify(name)
  const ranked = algorithmNames
    .map(candidate => ({ candidate, edits: editDistance(key, simplify(candidate)) }))
    .sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best && best.edits <= Math.max(2, key.length / 3) ? best.candidate : undefined
}

function simplify(name: string): string {
  return name.trim().toLowerCase().replaceAll(/[-_ ]/g, '')
}

/** Levenshtein's distance, one row at a time; names are short, so long input is cut. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...from.slice(0, 32)].entries()) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j++) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (letter === to[j] ? 0 : 1)))
    }
    row = next
  }
  return row[to.length]!
}
