import { describe, expect, test } from 'vitest'
import { parseTime } from './parse-time.ts'

const now = Date.parse('2026-11-21T15:30:00Z')

describe('parseTime()', () => {
  test.each([
    ['2026-11-20', '2026-11-20T00:00:00.000000Z'],
    ['2026/1/5', '2026-01-05T00:00:00.000000Z'],
    ['20261120', '2026-11-20T00:00:00.000000Z'],
    ['2026-11-20 14:05', '2026-11-20T14:05:00.000000Z'],
    ['2026-11-20T22:03:37.619866', '2026-11-20T22:03:37.619866Z'],
    ['2026-11-20T22:03:37.5Z', '2026-11-20T22:03:37.500000Z'],
    ['2026-11-20T01:00:00.000001+02:00', '2026-11-19T23:00:00.000001Z'],
    ['2026-11-20 23:30 -0100', '2026-11-21T00:30:00.000000Z'],
    ['20 Nov 2026', '2026-11-20T00:00:00.000000Z'],
    ['November 20, 2026 8:15', '2026-11-20T08:15:00.000000Z'],
    ['9:30', '2026-11-21T09:30:00.000000Z'],
    ['now', '2026-11-21T15:30:00.000000Z'],
    ['yesterday', '2026-11-20T00:00:00.000000Z'],
    ['2 days ago', '2026-11-19T15:30:00.000000Z'],
    ['an hour ago', '2026-11-21T14:30:00.000000Z'],
    ['90 minutes ago', '2026-11-21T14:00:00.000000Z'],
    ['9 months ago', '2026-02-21T15:30:00.000000Z'],
    ['1 year ago', '2025-11-21T15:30:00.000000Z'],
    ['1763659800', '2025-11-20T17:30:00.000000Z'],
    ['1763659800000', '2025-11-20T17:30:00.000000Z'],
  ])('reads %s', (text, expected) => {
    expect(parseTime(text, { now })).toBe(expected)
  })

  test('takes a day that ends a window to its last microsecond, and a time as it is', () => {
    expect(parseTime('2026-11-20', { now, day: 'end' })).toBe('2026-11-20T23:59:59.999999Z')
    expect(parseTime('today', { now, day: 'end' })).toBe('2026-11-21T23:59:59.999999Z')
    expect(parseTime('2026-11-20 12:00', { now, day: 'end' })).toBe('2026-11-20T12:00:00.000000Z')
  })

  test('ends months with their last day', () => {
    expect(parseTime('1 month ago', { now: Date.parse('2026-03-31T00:00:00Z') })).toBe('2026-02-28T00:00:00.000000Z')
  })

  test.each(['', 'soon', '2026-02-30', '2026-13-01', '2026-11-20 25:00', '5 parsecs ago', '99999 years ago', '12'])(
    'refuses %o',
    text => {
      expect(() => parseTime(text, { now })).toThrow(/Cannot read the time/)
    },
  )
})
