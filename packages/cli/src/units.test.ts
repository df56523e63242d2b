import { describe, expect, test } from 'vitest'
import { formatClock, formatDuration, formatSize, parseCount, parseDuration, parseSize } from './units.ts'

describe('parseSize()', () => {
  test.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['8MiB', 8 * 1024 ** 2],
    ['8M', 8 * 1024 ** 2],
    ['8m', 8 * 1024 ** 2],
    ['8 MiB', 8 * 1024 ** 2],
    ['8MB', 8_000_000],
    ['500k', 512_000],
    ['1.5GiB', 1.5 * 1024 ** 3],
  ])('reads %s', (text, bytes) => expect(parseSize(text, '--part-size')).toBe(bytes))

  test.each(['', '8Q', '-1', '1e3', 'MiB', '0x10', '1,000', '99999999TiB'])('refuses %j and names the flag', text => {
    expect(() => parseSize(text, '--part-size')).toThrow(/--part-size/)
  })
})

test('parseDuration() takes seconds without a unit', () => {
  expect(parseDuration('30', '--timeout')).toBe(30_000)
  expect(parseDuration('500ms', '--timeout')).toBe(500)
  expect(parseDuration('5m', '--timeout')).toBe(300_000)
  expect(() => parseDuration('0', '--timeout')).toThrow(/more than 0/)
  expect(() => parseDuration('soon', '--timeout')).toThrow(/--timeout/)
})

test('parseCount() refuses fractions, signs and what is below the least', () => {
  expect(parseCount('4', '--connections')).toBe(4)
  for (const text of ['0', '-1', '1.5', '', 'many']) expect(() => parseCount(text, '--connections')).toThrow()
})

test('formatSize() writes binary prefixes in at most eight columns', () => {
  expect([0, 999, 1000, 13_631_489, 2 ** 31, 2 ** 50].map(formatSize)).toEqual([
    '0 B',
    '999 B',
    '0.98 KiB',
    '13.0 MiB',
    '2.00 GiB',
    '1.00 PiB',
  ])
  for (let bytes = 1; bytes < 2 ** 52; bytes = Math.ceil(bytes * 1.37))
    expect(formatSize(bytes).length).toBeLessThanOrEqual(8)
})

test('formatDuration() and formatClock() read naturally', () => {
  expect([350, 1200, 12_000, 185_000, 7_620_000].map(formatDuration)).toEqual([
    '0.35 s',
    '1.2 s',
    '12 s',
    '3 min 05 s',
    '2 h 07 min',
  ])
  expect([7000, 765_000, 11_232_000, 400_000_000].map(formatClock)).toEqual(['0:07', '12:45', '3:07:12', '4d 15h'])
})
