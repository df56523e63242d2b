import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDuration } from './duration.ts'

describe('parseDuration()', () => {
  test.each([
    ['01:02:03', 3723],
    ['24:00:00', 86_400],
    ['100:00:00', 360_000],
    ['00:00:30.5', 30.5],
    ['12:30', 45_000],
    ['1 day, 02:00:00', 93_600],
    ['3 days, 00:30:00', 261_000],
    ['3 days 01:00:00', 262_800],
    ['3 days', 259_200],
    ['7d', 604_800],
    ['1.5d', 129_600],
    ['PT1H', 3600],
    ['P1D', 86_400],
    ['P1DT12H', 129_600],
    ['PT1H30M15.5S', 5415.5],
    ['P2W', 1_209_600],
    ['pt5m', 300],
    [3600, 3600],
    [0, 0],
    [0.25, 0.25],
  ])('reads %j as %d seconds', (given, seconds) => {
    expect(parseDuration(given)).toBe(seconds)
  })

  test.each([
    '3600',
    '3600.0',
    '',
    'P',
    'PT',
    'P1DT',
    '1h',
    '10:60',
    '10:00:60',
    ':30',
    '-1:00',
    'd',
    'one day',
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    null,
    undefined,
    {},
  ])('refuses %j', given => {
    expect(parseDuration(given)).toBe(undefined)
  })

  test('takes no number in quotes, whatever the number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), number => {
        expect(parseDuration(String(number))).toBe(undefined)
      }),
    )
  })
})
