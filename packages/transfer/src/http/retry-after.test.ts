import { describe, expect, test } from 'vitest'
import { parseHttpDate } from './http-date.ts'
import { retryAfter } from './retry-after.ts'

const now = Date.UTC(2026, 6, 1)

describe('retryAfter()', () => {
  test('adds seconds to now', () => {
    expect(retryAfter('120', now)).toBe(now + 120_000)
    expect(retryAfter(' 0 ', now)).toBe(now)
    expect(retryAfter('999999999', now)).toBe(now + 999_999_999_000)
  })

  test('takes a date', () => {
    expect(retryAfter('Wed, 01 Jul 2026 00:01:00 GMT', now)).toBe(now + 60_000)
  })

  test('takes a date by the clock of the server that says it', () => {
    const serverDate = now - 3_600_000
    expect(retryAfter('Tue, 30 Jun 2026 23:00:30 GMT', now, serverDate)).toBe(now + 30_000)
  })

  test('never lies in the past', () => {
    expect(retryAfter('Wed, 01 Jul 2020 00:01:00 GMT', now)).toBe(now)
  })

  test.each([undefined, '', 'soon', '-5', '1.5', '2026-07-01T00:01:00Z'])('ignores %j', value => {
    expect(retryAfter(value, now)).toBeUndefined()
  })
})

describe('parseHttpDate()', () => {
  test('reads the three forms of RFC 9110 as UTC', () => {
    const time = Date.UTC(1994, 10, 6, 8, 49, 37)
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
    ]) {
      expect(parseHttpDate(text)).toBe(time)
    }
  })

  test.each(['', '0', '-1', '1994', 'Sun, 06 Nov 1994 08:49:37 +0200', 'Sun, 99 Nov 1994 08:49:37 GMT'])(
    'refuses %j',
    text => {
      expect(parseHttpDate(text)).toBeUndefined()
    },
  )
})
