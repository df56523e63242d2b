import { describe, expect, test } from 'vitest'
import { expiryOf, isQuerySigned } from './expiry.ts'

const at = (query: string) => expiryOf(new URL(`https://host/key?${query}`))

describe('expiryOf()', () => {
  test('reads S3 and GCS version 4, whatever the case of the names', () => {
    const time = Date.UTC(2026, 0, 2, 3, 4, 5) + 900_000
    expect(at('X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-Signature=ab')).toBe(time)
    expect(at('x-goog-date=20260102T030405Z&x-goog-expires=900')).toBe(time)
  })

  test('reads seconds since 1970 of S3 version 2 and CloudFront', () => {
    expect(at('Expires=1767323045&Signature=x&Key-Pair-Id=k')).toBe(1_767_323_045_000)
  })

  test('reads Azure only beside its signature', () => {
    expect(at('se=2026-01-02T03%3A04%3A05Z&sig=x')).toBe(Date.UTC(2026, 0, 2, 3, 4, 5))
    expect(at('se=2026-01-02T03%3A04%3A05Z')).toBeUndefined()
  })

  test.each(['', 'a=b', 'Expires=1', 'Expires=soon', 'X-Amz-Date=now&X-Amz-Expires=5', 'X-Amz-Date=20260102T030405Z'])(
    'knows nothing of %j',
    query => {
      expect(at(query)).toBeUndefined()
    },
  )
})

test('isQuerySigned() knows the signatures of the large stores', () => {
  for (const query of ['X-Amz-Signature=1', 'X-Goog-Signature=1', 'Signature=1&Expires=2', 'sig=1']) {
    expect(isQuerySigned(new URL(`https://host/?${query}`))).toBe(true)
  }
  expect(isQuerySigned(new URL('https://host/?a=1'))).toBe(false)
  expect(isQuerySigned(new URL('https://host/sig'))).toBe(false)
})
