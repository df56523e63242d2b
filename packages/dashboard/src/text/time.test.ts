import { expect, test } from 'vitest'
import { formatAgo, formatDuration, formatTime, parseTime } from './time.ts'

const instant = Date.UTC(2026, 10, 20, 22, 3, 37, 619)

test('parseTime() reads times of the wire as UTC, with and without zone and decimals', () => {
  expect(parseTime('2026-11-20T22:03:37.619866')).toBe(instant)
  expect(parseTime('2026-11-20T22:03:37.619866Z')).toBe(instant)
  expect(parseTime('2026-11-20T22:03:37')).toBe(instant - 619)
})

test('formatTime() names the zone, and says so when it cannot read a time', () => {
  expect(formatTime(instant)).toBe('2026-11-20 22:03 UTC')
  expect(formatTime(instant, { precise: true })).toBe('2026-11-20 22:03:37 UTC')
  expect(formatTime(parseTime('soon'))).toBe('unknown time')
})

test('formatDuration() uses two units, and one for what is very long', () => {
  expect([0, 59.4, 59.6, 185, 7620, 3 * 86_400 + 4 * 3600, 410 * 86_400].map(formatDuration)).toEqual([
    '0 s',
    '59 s',
    '1 min 00 s',
    '3 min 05 s',
    '2 h 07 min',
    '3 d 04 h',
    '410 d',
  ])
})

test('formatAgo() tells past and future, and never a negative span', () => {
  const ages = [0, -15, 40, 185, 7200, 5 * 86_400, -7200]
  expect(ages.map(seconds => formatAgo(instant - seconds * 1000, instant))).toEqual([
    'just now',
    'just now',
    '40 s ago',
    '3 min ago',
    '2 h ago',
    '5 d ago',
    'in 2 h',
  ])
})
