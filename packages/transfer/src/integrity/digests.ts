import { type DigestAlgorithm, isDigestAlgorithm } from './algorithms.ts'
import type { Algorithm } from './checksum.ts'
import { partCount } from './parse-checksum.ts'
import type { Expectation } from './verification.ts'

/** What was computed of one resource's bytes. */
export interface Digests {
  /** Bytes digested. */
  readonly size: number
  /** Lower-case hex by algorithm. */
  readonly values: Readonly<Partial<Record<Algorithm, string>>>
  /** One per composite that was asked for. */
  readonly composites: readonly CompositeAttempt[]
}

/** A composite to compute: S3's multipart ETag (of MD5s), or a composite `x-amz-checksum-*`. */
export interface CompositeTarget {
  readonly algorithm: Algorithm
  /** `hex-n`. */
  readonly value: string
  /** Bytes of every part but the last, if known. */
  readonly partSize?: number | undefined
}

/** Which layouts were tried for one composite. */
export interface CompositeAttempt extends CompositeTarget {
  readonly tried: readonly { readonly partSize: number; readonly value: string }[]
  /** Part sizes that remain possible, most likely first; `searchComposites` reads the content again for them. */
  readonly untried: readonly number[]
}

/** What has to be computed to check the expectations: spread it into `createDigester`. */
export function digestsFor(expectations: readonly Expectation[]): {
  algorithms: readonly DigestAlgorithm[]
  composites: readonly CompositeTarget[]
} {
  const algorithms = new Set<DigestAlgorithm>()
  const composites: CompositeTarget[] = []
  for (const { algorithm, value, partSize } of expectations) {
    if (partCount(value) !== undefined) composites.push({ algorithm, value, partSize })
    else if (algorithm === 's3_etag') algorithms.add('md5')
    else if (isDigestAlgorithm(algorithm)) algorithms.add(algorithm)
  }
  return { algorithms: [...algorithms], composites }
}

/** The algorithm of a composite's parts. */
export function partAlgorithm(algorithm: Algorithm): DigestAlgorithm {
  return isDigestAlgorithm(algorithm) ? algorithm : 'md5'
}

/** The layout that gave the expected value. */
export function matchingLayout(attempt: CompositeAttempt): { partSize: number; value: string } | undefined {
  return attempt.tried.find(({ value }) => value === attempt.value)
}
