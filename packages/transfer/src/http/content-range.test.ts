import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseContentRange, parseLength, parseUnsatisfiedRange } from './content-range.ts'

describe('parseContentRange()', () => {
  test('reads what RFC 9110 writes', () => {
    expect(parseContentRange('bytes 0-0/1')).toEqual({ start: 0, end: 1, size: 1 })
    expect(parseContentRange('bytes 42-1233/1234')).toEqual({ start: 42, end: 1234, size: 1234 })
    expect(parseContentRange('bytes 42-1233/*')).toEqual({ start: 42, end: 1234, size: undefined })
    expect(parseContentRange('Bytes 4294967296-8589934591/8589934592')?.end).toBe(8_589_934_592)
  })

  test.each([
    undefined,
    '',
    'bytes */10',
    'bytes 5-4/10',
    'bytes 0-10/10',
    'bytes 0-9/9',
    'bytes 0-9',
    'bytes 0-9/10, bytes 0-9/10',
    'bytes=0-9/10',
    'items 0-9/10',
    'bytes -5-9/10',
    'bytes 0x0-9/10',
    'bytes 0-9/10 ',
    'bytes 0-9007199254740991/9007199254740993',
    'bytes 0-99999999999999999/100000000000000000',
  ])('refuses %j', value => {
    expect(parseContentRange(value)).toBeUndefined()
  })

  test('either refuses a text or gives a range inside the size', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (a, b, size) => {
        const range = parseContentRange(`bytes ${a}-${b}/${size}`)
        expect(range !== undefined).toBe(a <= b && b < size)
        if (range) expect(range).toEqual({ start: a, end: b + 1, size })
      }),
    )
  })
})

test('parseUnsatisfiedRange() reads the size', () => {
  expect(parseUnsatisfiedRange('bytes */0')).toBe(0)
  expect(parseUnsatisfiedRange('bytes */1234')).toBe(1234)
  for (const value of [undefined, 'bytes 0-1/2', 'bytes */x', '*/5'])
    expect(parseUnsatisfiedRange(value)).toBeUndefined()
})

test('parseLength() takes digits only', () => {
  expect(parseLength('0')).toBe(0)
  expect(parseLength('12')).toBe(12)
  for (const value of [undefined, '', '+1', '-1', '1.0', '1e3', '0x1', '1, 1', ' 1', '99999999999999999']) {
    expect(parseLength(value)).toBeUndefined()
  }
})
