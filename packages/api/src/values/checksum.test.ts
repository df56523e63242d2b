import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checksumFunctionNames,
  checksumFunctions,
  checksumsMatch,
  formatChecksum,
  isWholeChecksum,
  parseChecksum,
} from './checksum.ts'

const md5 = '900150983cd24fb0d6963f7d28e17f72'

/** Of the 1100 bytes of librarian 19. */
const recorded = [
  'xxh3:::fece70bec15fa5d04e440dc8809b1a8c',
  'md5:::3f23fe8690d92e25000fc77ddb0d2f52',
  'sha1:::63bd507c378dbebd59f77853dea6c4c2c39f7ed7',
  'sha256:::68cd07733b3b97926512d4bbe9b660bb5beff0675579833a52e6e059557d57f6',
]

const checksum = fc.constantFrom(...checksumFunctionNames).chain(name =>
  fc
    .string({
      unit: fc.constantFrom(...'0123456789abcdef'),
      minLength: checksumFunctions[name],
      maxLength: checksumFunctions[name],
    })
    .map(hex => ({ function: name, hex })),
)

describe('parseChecksum()', () => {
  test.each(recorded)('reads and writes %s unchanged', text => {
    expect(formatChecksum(parseChecksum(text))).toBe(text)
    expect(isWholeChecksum(text)).toBe(true)
  })

  test('takes a value without a known prefix for a bare md5, all of it', () => {
    expect(parseChecksum(md5)).toEqual({ function: 'md5', hex: md5 })
    expect(parseChecksum('crc32:::0a0b0c0d')).toEqual({ function: 'md5', hex: 'crc32:::0a0b0c0d' })
    expect(parseChecksum('MD5:::00')).toEqual({ function: 'md5', hex: 'MD5:::00' })
    expect(parseChecksum('md5:00')).toEqual({ function: 'md5', hex: 'md5:00' })
    expect(parseChecksum('')).toEqual({ function: 'md5', hex: '' })
  })

  test('is the inverse of formatChecksum()', () => {
    fc.assert(
      fc.property(checksum, value => {
        expect(parseChecksum(formatChecksum(value))).toEqual(value)
      }),
    )
  })
})

describe('isWholeChecksum()', () => {
  test.each([md5, `md5:::${md5}`])('takes %s', text => expect(isWholeChecksum(text)).toBe(true))

  test.each([
    '',
    'xxh3:::',
    `xxh3:::${md5}0`,
    `sha1:::${md5}`,
    `md5:::${md5.toUpperCase()}`,
    `crc32:::${md5}`,
    `md5:::${md5}\n`,
  ])('refuses %j', text => expect(isWholeChecksum(text)).toBe(false))
})

describe('checksumsMatch()', () => {
  test('takes a bare md5 and a named one for equal', () => {
    expect(checksumsMatch(md5, `md5:::${md5}`)).toBe(true)
    expect(checksumsMatch(md5, md5.replace('9', '8'))).toBe(false)
  })

  test('throws on different functions: that is no answer', () => {
    const attempt = (): boolean => checksumsMatch(md5, `xxh3:::${md5}`)
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'BadRequest', message: expect.stringContaining('got md5') }),
    )
  })

  test('holds exactly where function and digits are the same', () => {
    fc.assert(
      fc.property(checksum, checksum, (a, b) => {
        expect(checksumsMatch(formatChecksum(a), formatChecksum(a))).toBe(true)
        if (a.function !== b.function) {
          expect(() => checksumsMatch(formatChecksum(a), formatChecksum(b))).toThrow()
        } else {
          expect(checksumsMatch(formatChecksum(a), formatChecksum(b))).toBe(a.hex === b.hex)
        }
      }),
    )
  })
})
