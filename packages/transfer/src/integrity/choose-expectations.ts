import { TransferError } from '../errors.ts'
import type { Algorithm, Checksum, OfferedChecksum } from './checksum.ts'
import { partCount } from './parse-checksum.ts'
import { partSizeCandidates } from './s3-etag.ts'
import type { Authority, Expectation } from './verification.ts'

/** A checksum that came with the order rather than with the bytes. */
export interface StatedChecksum extends Checksum {
  /** Where it was said; `--checksum` or `manifest` unless told otherwise. */
  readonly origin?: string | undefined
}

/**
 * What the content will be held to, strongest first (retrieval 11.2).
 *
 * Everything that the caller or the manifest states must match; then the source's word adds nothing. Without it, the
 * strongest checksum of the source is taken. Where that one is a guess, which may turn out unverifiable, the next
 * one that is no guess is taken too. A stated `null` asks for no checksum at all.
 *
 * @param size bytes, if known: composites that no part size explains are left out
 * @throws TransferError Usage when caller and manifest contradict each other: no content could satisfy both.
 */
export function chooseExpectations(
  caller: readonly StatedChecksum[],
  manifest: readonly StatedChecksum[],
  offered: readonly OfferedChecksum[],
  size: number | undefined,
): readonly Expectation[] {
  const stated = withoutRepeats([
    ...caller.map(checksum => state(checksum, 'caller', '--checksum')),
    ...manifest.map(checksum => state(checksum, 'manifest', 'manifest')),
  ])
  return stated.length > 0 ? stated : strongestOffered(offered, size)
}

function state(checksum: StatedChecksum, authority: Authority, origin: string): Expectation {
  return { algorithm: checksum.algorithm, value: checksum.value, authority, origin: checksum.origin ?? origin }
}

function withoutRepeats(expectations: readonly Expectation[]): readonly Expectation[] {
  const kept: Expectation[] = []
  for (const expectation of expectations) {
    const { algorithm, value, origin } = expectation
    const earlier = kept.find(other => other.algorithm === algorithm && isComposite(other) === isComposite(expectation))
    if (!earlier) kept.push(expectation)
    else if (earlier.value !== value) {
      throw new TransferError(
        'Usage',
        `Cannot hold the content to two ${algorithm} checksums: ${earlier.origin} says ${earlier.value}, ${origin} says ${value}`,
      )
    }
  }
  return kept
}

function strongestOffered(offered: readonly OfferedChecksum[], size: number | undefined): readonly Expectation[] {
  const usable = offered.filter(checksum => checksum.coverage !== 'body' && isPossible(checksum, size)).sort(byStrength)
  const firstCertain = usable.find(checksum => !isGuess(checksum))
  const first = usable[0]
  if (!first) return []
  const chosen = firstCertain && firstCertain !== first ? [first, firstCertain] : [first]
  return chosen.map(({ algorithm, value, origin, partSize }) => ({
    algorithm,
    value,
    origin,
    authority: 'source',
    ...(partSize === undefined ? {} : { partSize }),
  }))
}

/**
 * Whether a difference need not mean a difference of content. An ETag may be no MD5 at all, and nothing makes an
 * uploader cut equal parts, even where the size of the first is known.
 */
export function isGuess(checksum: Checksum): boolean {
  return checksum.algorithm === 's3_etag' || isComposite(checksum)
}

function isComposite(checksum: Checksum): boolean {
  return partCount(checksum.value) !== undefined
}

function isPossible(checksum: OfferedChecksum, size: number | undefined): boolean {
  const parts = partCount(checksum.value)
  if (parts === undefined || size === undefined || checksum.partSize !== undefined) return true
  return partSizeCandidates(size, parts).length > 0
}

function byStrength(a: OfferedChecksum, b: OfferedChecksum): number {
  return rank(a) - rank(b) || preference.indexOf(a.algorithm) - preference.indexOf(b.algorithm)
}

function rank({ algorithm, coverage, origin }: OfferedChecksum): number {
  if (algorithm === 's3_etag') return 3
  if (coverage === 'composite') return 1
  if (origin === 'x-goog-hash' && algorithm === 'md5') return 2
  if (origin === 'Content-MD5' || origin === 'Content-Digest') return 4
  return 0
}

/** Among equals: cryptographic ones first, of those the fastest; then by width. */
const preference: readonly Algorithm[] = [
  'sha256',
  'sha512',
  'blake3',
  'sha1',
  'md5',
  'crc64nvme',
  'xxh128',
  'xxh3',
  'crc32c',
  'crc32',
  'adler32',
]
