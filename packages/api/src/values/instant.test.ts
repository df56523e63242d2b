import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FIRST_INSTANT, instantOf, LAST_INSTANT, millisecondsOf, parseInstant, toNaive } from './instant.ts'

const date = fc.date({ min: new Date(FIRST_INSTANT), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
const micros = fc.integer({ min: 0, max: 999 })

/** An instant of a date and the three digits that dates lack. */
const instantWith = (date: Date, micros: number): string =>
  `${date.toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`

describe('parseInstant()', () => {
  test.each([
    ['2026-11-20T22:03:37.619866', '2026-11-20T22:03:37.619866Z'],
    ['2026-11-20T22:03:37.619866Z', '2026-11-20T22:03:37.619866Z'],
    ['2026-11-20t22:03:37z', '2026-11-20T22:03:37.000000Z'],
    ['2026-11-20T22:03:37.6198669', '2026-11-20T22:03:37.619866Z'],
    ['2026-11-20T22:03:37.5', '2026-11-20T22:03:37.500000Z'],
    ['2026-11-20T22:03', '2026-11-20T22:03:00.000000Z'],
    ['2026-11-20 22:03', '2026-11-20T22:03:00.000000Z'],
    ['2026-11-20', '2026-11-20T00:00:00.000000Z'],
    ['2026-11-20T22:03:37+02:30', '2026-11-20T19:33:37.000000Z'],
    ['2026-11-20T22:03:37-0800', '2026-11-21T06:03:37.000000Z'],
    ['2026-12-31T23:30:00-01', '2027-01-01T00:30:00.000000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000000Z'],
    ['0001-01-01T00:00:00', FIRST_INSTANT],
    ['9999-12-31T23:59:59.999999', LAST_INSTANT],
    ['0', '1970-01-01T00:00:00.000000Z'],
    ['1795212217', '2026-11-20T22:03:37.000000Z'],
    ['1795212217.619866', '2026-11-20T22:03:37.619866Z'],
    ['1795212217619', '2026-11-20T22:03:37.619000Z'],
    ['1795212217619.866', '2026-11-20T22:03:37.619866Z'],
    ['-1.5', '1969-12-31T23:59:58.500000Z'],
    ['20000000000', '2603-10-11T11:33:20.000000Z'],
    ['20000000001', '1970-08-20T11:33:20.001000Z'],
    ['-20000000001', '1969-05-14T12:26:39.999000Z'],
    [1795212217, '2026-11-20T22:03:37.000000Z'],
    [1795212217.619866, '2026-11-20T22:03:37.619866Z'],
    [1795212217619, '2026-11-20T22:03:37.619000Z'],
    [8707714903283, '2245-12-08T17:41:43.283000Z'],
    [-20000000001, '1969-05-14T12:26:39.999000Z'],
    ['2026-11-20T22:03:37\u221202:30', '2026-11-21T00:33:37.000000Z'],
    [-0.0000001, '1970-01-01T00:00:00.000000Z'],
  ])('reads %j as %s', (given, expected) => {
    expect(parseInstant(given)).toBe(expected)
  })

  test.each([
    '',
    'now',
    '2026-13-01',
    '2026-02-29',
    '2026-00-10',
    '2026-11-20T24:00',
    '2026-11-20T22:60',
    '2026-11-20T22:03:60',
    '2026-11-20T22',
    '2026-1-2',
    '0000-01-01',
    '10000-01-01',
    '2026-11-20T22:03:37+24:00',
    '2026-11-20T22:03:37 UTC',
    '2026-11-20T22:03:37602:30',
    '2026-11-20T22:03:37:02:30',
    '2026-11-20T22:03:37.501:00',
    '2026-11-20T22:03:37/02:30',
    '2026-11-20T22:03:37A02:30',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '999999999999999999999',
    '0x10',
    '1e9',
    '１２',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e300,
    999_999_999_999_999,
  ])('refuses %j', given => {
    expect(parseInstant(given)).toBe(undefined)
  })

  test('reads back what answers carry, to the microsecond', () => {
    fc.assert(
      fc.property(date, micros, (date, micros) => {
        const instant = instantWith(date, micros)
        expect(parseInstant(toNaive(instant))).toBe(instant)
        expect(parseInstant(instant)).toBe(instant)
      }),
    )
  })

  test('brings every zone to the same instant', () => {
    const zone = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 })
    const inner = fc.date({ min: new Date('0002-01-01'), max: new Date('9998-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(inner, zone, (date, minutes) => {
        const there = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1)
        const size = Math.abs(minutes)
        const text = [Math.trunc(size / 60), size % 60].map(part => String(part).padStart(2, '0')).join(':')
        expect(parseInstant(`${there}${minutes < 0 ? '-' : '+'}${text}`)).toBe(instantOf(date))
      }),
    )
  })

  test('reads milliseconds as JavaScript gives them', () => {
    const later = fc.date({ min: new Date(20_000_000_001), max: new Date(LAST_INSTANT), noInvalidDate: true })
    fc.assert(
      fc.property(later, date => {
        expect(parseInstant(date.getTime())).toBe(instantOf(date))
        expect(parseInstant(String(date.getTime()))).toBe(instantOf(date))
      }),
    )
  })

  test('reads digits exactly, in seconds and milliseconds', () => {
    const seconds = fc.integer({ min: 20_000_001, max: 20_000_000_000 })
    fc.assert(
      fc.property(seconds, fc.integer({ min: 0, max: 999_999 }), (seconds, micros) => {
        const six = String(micros).padStart(6, '0')
        const expected = `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${six}Z`
        if (seconds < 20_000_000_000) expect(parseInstant(`${seconds}.${six}`)).toBe(expected)
        expect(parseInstant(`${seconds}${six.slice(0, 3)}.${six.slice(3)}`)).toBe(expected)
      }),
    )
  })

  test('keeps the order of times as the order of texts', () => {
    fc.assert(
      fc.property(date, date, (a, b) => {
        const [left, right] = [parseInstant(a.toISOString())!, parseInstant(b.toISOString())!]
        expect(Math.sign(a.getTime() - b.getTime())).toBe(left < right ? -1 : left > right ? 1 : 0)
        expect(millisecondsOf(left)).toBe(a.getTime())
      }),
    )
  })

  test('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.double()), value => void parseInstant(value)))
  })
})

describe('toNaive()', () => {
  test.each([
    ['2026-11-20T22:03:37.619866Z', '2026-11-20T22:03:37.619866'],
    ['2026-11-20T22:03:37.600000Z', '2026-11-20T22:03:37.600000'],
    ['2026-11-20T22:03:37.000001Z', '2026-11-20T22:03:37.000001'],
    ['2026-11-20T22:03:37.000000Z', '2026-11-20T22:03:37'],
    ['2026-11-20T22:03:00.000000Z', '2026-11-20T22:03:00'],
  ])('%s is %s', (instant, naive) => {
    expect(toNaive(instant)).toBe(naive)
  })
})
