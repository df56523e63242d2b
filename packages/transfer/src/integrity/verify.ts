import { TransferError } from '../errors.ts'
import type { Algorithm, OfferedChecksum } from './checksum.ts'
import { isGuess } from './choose-expectations.ts'
import { type CompositeAttempt, type Digests, matchingLayout } from './digests.ts'
import { partCount } from './parse-checksum.ts'
import type { Check, Expectation, Verification } from './verification.ts'

export interface VerifyOptions {
  /** Bytes that the source or the caller said there are. */
  readonly statedSize?: number | undefined
  /** Demand a checksum that matched; the size alone is not enough. */
  readonly requireChecksum?: boolean | undefined
  /** Checksums of the stored bytes, which the source has compared while it decoded them. */
  readonly stored?: readonly OfferedChecksum[] | undefined
}

/**
 * Holds what was received to what was expected and says what was proven (retrieval 11.2).
 *
 * @param size bytes received
 * @throws TransferError SizeMismatch; ChecksumMismatch with algorithm, expected and actual; Unverifiable when a
 * checksum that the caller or the manifest stated could not be computed, or `requireChecksum` is not met. A source's
 * ETag or composite that differs under every layout tried is recorded as `unverifiable`: it was a guess.
 */
export function verify(
  expectations: readonly Expectation[],
  digests: Digests,
  size: number,
  { statedSize, requireChecksum = false, stored = [] }: VerifyOptions = {},
): Verification {
  holdSize(digests, size, statedSize)
  const checks = [...expectations.map(expectation => check(expectation, digests)), ...stored.map(comparedBySource)]
  for (const made of checks) refuse(made, digests)
  const isProven = checks.some(made => made.outcome === 'match' && made.algorithm !== 'null')
  if (requireChecksum && !isProven) throw unproven(checks)
  const lengthVerified = statedSize !== undefined
  return {
    size,
    lengthVerified,
    checks,
    proof: isProven ? 'checksum' : lengthVerified ? 'size' : 'none',
    digests: { ...digests.values, ...provenEtag(checks) },
  }
}

function holdSize(digests: Digests, size: number, statedSize: number | undefined): void {
  if (digests.size !== size) throw sizeMismatch('hash the content', size, digests.size)
  if (statedSize !== undefined && size !== statedSize) throw sizeMismatch('accept the content', statedSize, size)
}

function sizeMismatch(action: string, expected: number, actual: number): TransferError {
  return new TransferError('SizeMismatch', `Cannot ${action}: it must have ${expected} bytes, got ${actual}`, {
    expected: String(expected),
    actual: String(actual),
  })
}

function check(expectation: Expectation, digests: Digests): Check {
  if (expectation.algorithm === 'null') return { ...expectation, actual: undefined, outcome: 'match' }
  const actual = actualOf(expectation, digests)
  if (actual === expectation.value) return { ...expectation, actual, outcome: 'match' }
  const isCertain = expectation.authority !== 'source' || !isGuess(expectation)
  const isDisproven = actual !== undefined && isCertain && !attemptOf(expectation, digests)?.untried.length
  return { ...expectation, actual, outcome: isDisproven ? 'mismatch' : 'unverifiable' }
}

/** For a composite: what matched, else what the likeliest layout gave. */
function actualOf(expectation: Expectation, digests: Digests): string | undefined {
  if (partCount(expectation.value) === undefined) {
    return digests.values[expectation.algorithm === 's3_etag' ? 'md5' : expectation.algorithm]
  }
  const attempt = attemptOf(expectation, digests)
  return attempt && (matchingLayout(attempt) ?? attempt.tried[0])?.value
}

function comparedBySource({ algorithm, value, origin }: OfferedChecksum): Check {
  return {
    algorithm,
    value,
    authority: 'source',
    origin: `${origin} of the stored bytes`,
    actual: value,
    outcome: 'match',
  }
}

function attemptOf({ algorithm, value }: Expectation, digests: Digests): CompositeAttempt | undefined {
  return digests.composites.find(attempt => attempt.algorithm === algorithm && attempt.value === value)
}

function refuse(made: Check, digests: Digests): void {
  const { algorithm, value: expected, actual, origin } = made
  const tried = attemptOf(made, digests)?.tried ?? []
  const layouts = tried.length > 0 ? ` (part sizes tried: ${tried.map(({ partSize }) => partSize).join(', ')})` : ''
  if (made.outcome === 'mismatch') {
    throw new TransferError(
      'ChecksumMismatch',
      `Cannot accept the content: ${algorithm} must be ${expected} (${origin}), got ${actual}${layouts}`,
      { algorithm, expected, actual },
    )
  }
  if (made.outcome === 'unverifiable' && made.authority !== 'source') {
    throw new TransferError(
      'Unverifiable',
      `Cannot verify the content: ${algorithm} must be ${expected} (${origin}), which could not be computed${layouts}`,
      { algorithm, expected, actual },
    )
  }
}

function unproven(checks: readonly Check[]): TransferError {
  const met = checks.map(({ origin, outcome }) => `${origin} is ${outcome}`).join(', ') || 'none is known'
  return new TransferError('Unverifiable', `Cannot accept the content: a checksum must match, ${met}`)
}

function provenEtag(checks: readonly Check[]): Partial<Record<Algorithm, string>> {
  const proven = checks.find(({ algorithm, outcome }) => algorithm === 's3_etag' && outcome === 'match')
  return proven ? { s3_etag: proven.value } : {}
}
