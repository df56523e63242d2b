/**
 * What an S3 ETag says of the bytes (retrieval 11.3): the MD5 of the object, or `hex-n`, the MD5 of the n concatenated
 * part MD5s. The size of the parts is not told and has to be guessed; composite checksums have the same shape.
 */
import type { DigestAlgorithm } from './algorithms.ts'
import { digestOf, toHex } from './hasher.ts'
import type { Headers } from './headers.ts'
import { oneHeader } from './headers.ts'

const MIB = 1_048_576
const MAX_PART = 5 * 1024 * MIB
const MAX_PARTS = 10_000

/** Part sizes of common uploaders, in the order in which they are tried. */
const USUAL_MIB = [5, 8, 15, 16, 25, 50, 64, 100, 128, 256, 512]
const USUAL_MB = [5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 200, 250, 256, 500, 512, 1000]

/**
 * Whether the headers allow the ETag to be an MD5. It is something else under SSE-KMS, SSE-C and in directory buckets.
 */
export function mayBeS3Md5(headers: Headers): boolean {
  const encryption = oneHeader(headers, 'x-amz-server-side-encryption') ?? ''
  return (
    !encryption.startsWith('aws:kms') &&
    headers['x-amz-server-side-encryption-customer-algorithm'] === undefined &&
    oneHeader(headers, 'x-amz-storage-class') !== 'EXPRESS_ONEZONE'
  )
}

/**
 * Part sizes p with ceil(size / p) = parts, in bytes, most likely first: the common uploaders' sizes, their doublings
 * (boto3 doubles until there are at most 10,000 parts), ceil(size / 10,000), decimal megabytes, then every whole MiB
 * (getm's enumeration). Empty when no part size gives that many parts.
 */
export function partSizeCandidates(size: number, parts: number): readonly number[] {
  // One part is the whole, whatever its nominal size.
  if (parts === 1) return [Math.max(size, 1)]
  const fits = (partSize: number) => partSize > 0 && partSize <= MAX_PART && Math.ceil(size / partSize) === parts
  return [...new Set([...usualPartSizes(size), ...wholeMebibytes(size, parts)])].filter(fits)
}

/** The composite of part digests in the order of the parts, as `hex-n`. */
export function compositeOf(algorithm: DigestAlgorithm, partDigests: readonly Uint8Array[]): string {
  return `${toHex(digestOf(algorithm, Buffer.concat(partDigests)))}-${partDigests.length}`
}

function* usualPartSizes(size: number): Iterable<number> {
  yield* USUAL_MIB.map(mebibytes => mebibytes * MIB)
  for (const mebibytes of USUAL_MIB) {
    for (let partSize = mebibytes * MIB * 2; partSize <= MAX_PART; partSize *= 2) yield partSize
  }
  yield Math.ceil(size / MAX_PARTS)
  yield* USUAL_MB.map(megabytes => megabytes * 1_000_000)
}

function* wholeMebibytes(size: number, parts: number): Iterable<number> {
  const most = Math.min(Math.ceil(size / MIB / (parts - 1)) - 1, MAX_PART / MIB)
  for (let mebibytes = Math.ceil(size / MIB / parts); mebibytes <= most; mebibytes++) yield mebibytes * MIB
}
