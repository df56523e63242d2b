import { describe, expect, test } from 'vitest'
import { TransferError } from '../errors.ts'
import type { Digests } from './digests.ts'
import type { Expectation } from './verification.ts'
import { verify } from './verify.ts'

const [GOOD, BAD] = ['a'.repeat(32), 'b'.repeat(32)]
const digests: Digests = { size: 9, values: { md5: GOOD, crc32c: '00000001' }, composites: [] }

function expectation(value: string, changes: Partial<Expectation> = {}): Expectation {
  return { algorithm: 'md5', value, authority: 'caller', origin: '--checksum', ...changes }
}

function failure(run: () => unknown): TransferError {
  try {
    run()
  } catch (error) {
    if (error instanceof TransferError) return error
    throw error
  }
  throw new Error('it did not throw')
}

describe('verify()', () => {
  test('records what matched, and over what', () => {
    expect(verify([expectation(GOOD)], digests, 9, { statedSize: 9 })).toEqual({
      size: 9,
      lengthVerified: true,
      checks: [{ ...expectation(GOOD), actual: GOOD, outcome: 'match' }],
      proof: 'checksum',
      digests: { md5: GOOD, crc32c: '00000001' },
    })
  })

  test('throws ChecksumMismatch with algorithm, expected and actual', () => {
    const error = failure(() => verify([expectation(GOOD), expectation(BAD)], digests, 9))
    expect(error.code).toBe('ChecksumMismatch')
    expect(error.details).toMatchObject({ algorithm: 'md5', expected: BAD, actual: GOOD })
    expect(error.message).toBe(`Cannot accept the content: md5 must be ${BAD} (--checksum), got ${GOOD}`)
  })

  test('throws ChecksumMismatch when a source’s own checksum differs', () => {
    const offered = expectation(BAD, { authority: 'source', origin: 'x-goog-hash' })
    expect(failure(() => verify([offered], digests, 9)).code).toBe('ChecksumMismatch')
  })

  test('throws SizeMismatch when the stated size or the digested size differs', () => {
    expect(failure(() => verify([], digests, 9, { statedSize: 10 })).code).toBe('SizeMismatch')
    expect(failure(() => verify([], digests, 8)).code).toBe('SizeMismatch')
  })

  test('throws Unverifiable when a stated checksum was not computed', () => {
    const error = failure(() => verify([expectation('c'.repeat(64), { algorithm: 'sha256' })], digests, 9))
    expect(error.code).toBe('Unverifiable')
  })

  test('calls size and nothing what they are', () => {
    expect(verify([], digests, 9, { statedSize: 9 }).proof).toBe('size')
    expect(verify([], digests, 9).proof).toBe('none')
  })

  test('throws Unverifiable without a matching checksum when one is required', () => {
    const options = { statedSize: 9, requireChecksum: true }
    expect(failure(() => verify([], digests, 9, options)).message).toBe(
      'Cannot accept the content: a checksum must match, none is known',
    )
    const nothing = expectation('', { algorithm: 'null' })
    expect(failure(() => verify([nothing], digests, 9, options)).code).toBe('Unverifiable')
    expect(verify([expectation(GOOD)], digests, 9, options).proof).toBe('checksum')
  })

  test('takes null for a match that proves nothing', () => {
    const verification = verify([expectation('', { algorithm: 'null' })], digests, 9, { statedSize: 9 })
    expect(verification.checks[0]?.outcome).toBe('match')
    expect(verification.proof).toBe('size')
  })
})

describe('verify() of an ETag', () => {
  const fromSource = { algorithm: 's3_etag', authority: 'source', origin: 'ETag' } as const
  const fromCaller = { algorithm: 's3_etag' } as const
  const attempt = {
    algorithm: 's3_etag',
    value: `${GOOD}-2`,
    tried: [
      { partSize: 5, value: `${BAD}-2` },
      { partSize: 8, value: `${GOOD}-2` },
    ],
    untried: [],
  } as const

  test('compares a plain one with the MD5', () => {
    const verification = verify([expectation(GOOD, fromSource)], digests, 9)
    expect(verification.proof).toBe('checksum')
    expect(verification.digests.s3_etag).toBe(GOOD)
  })

  test('records a source’s that differs as unverifiable: it was a guess', () => {
    const { checks, proof } = verify([expectation(BAD, fromSource)], digests, 9, { statedSize: 9 })
    expect(checks[0]).toMatchObject({ outcome: 'unverifiable', actual: GOOD })
    expect(proof).toBe('size')
  })

  test('throws ChecksumMismatch for the caller’s that differs', () => {
    expect(failure(() => verify([expectation(BAD, fromCaller)], digests, 9)).code).toBe('ChecksumMismatch')
  })

  test('accepts any layout that gives the value', () => {
    const verification = verify([expectation(`${GOOD}-2`, fromSource)], { ...digests, composites: [attempt] }, 9)
    expect(verification.checks[0]).toMatchObject({ outcome: 'match', actual: `${GOOD}-2` })
    expect(verification.digests.s3_etag).toBe(`${GOOD}-2`)
  })

  test('names the part sizes tried when the caller’s fits none', () => {
    const missed = { ...attempt, value: `${'c'.repeat(32)}-2` }
    const error = failure(() =>
      verify([expectation(missed.value, fromCaller)], { ...digests, composites: [missed] }, 9),
    )
    expect(error.code).toBe('ChecksumMismatch')
    expect(error.message).toContain('(part sizes tried: 5, 8)')
  })

  test('calls the caller’s unverifiable, not wrong, while layouts remain untried', () => {
    const missed = { ...attempt, value: `${'c'.repeat(32)}-2`, untried: [16] }
    const error = failure(() =>
      verify([expectation(missed.value, fromCaller)], { ...digests, composites: [missed] }, 9),
    )
    expect(error.code).toBe('Unverifiable')
  })
})
