import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestVectors } from '../../test/data.ts'
import { TransferError } from '../errors.ts'
import { digestAlgorithms, digestBytes } from './algorithms.ts'
import { formatChecksum, parseChecksum, parseChecksumArgument, partCount } from './parse-checksum.ts'

const MD5 = '25f9e794323b453885f5181f1b624d0b'

describe('parseChecksum()', () => {
  test.each(digestVectors)('reads the base64 of $name as its hex', vector => {
    expect(parseChecksum('md5', vector.md5Base64)).toEqual({ algorithm: 'md5', value: vector.md5 })
    expect(parseChecksum('gs_crc32c', vector.crc32cBase64)).toEqual({ algorithm: 'crc32c', value: vector.crc32c })
    expect(parseChecksum('crc64nvme', vector.crc64nvmeBase64).value).toBe(vector.crc64nvme)
  })

  test('reads every spelling of any digest as the same hex', () => {
    const digest = fc
      .constantFrom(...digestAlgorithms)
      .chain(algorithm =>
        fc.tuple(
          fc.constant(algorithm),
          fc.uint8Array({ minLength: digestBytes[algorithm], maxLength: digestBytes[algorithm] }),
        ),
      )
    fc.assert(
      fc.property(digest, ([algorithm, bytes]) => {
        const buffer = Buffer.from(bytes)
        const [hex, padded, urlSafe] = [buffer.toString('hex'), buffer.toString('base64'), buffer.toString('base64url')]
        const unpadded = padded.replaceAll('=', '')
        const urlSafePadded = padded.replaceAll('+', '-').replaceAll('/', '_')
        for (const text of [hex, hex.toUpperCase(), ` ${hex}\n`, padded, unpadded, urlSafe, urlSafePadded]) {
          expect(parseChecksum(algorithm, text)).toEqual({ algorithm, value: hex })
        }
      }),
    )
  })

  test.each([
    ['SHA-256', 'sha256'],
    ['sha-256', 'sha256'],
    ['SHA256', 'sha256'],
    ['Sha_512', 'sha512'],
    ['md-5', 'md5'],
    ['CRC-32C', 'crc32c'],
    ['CRC64NVME', 'crc64nvme'],
    ['xxh3_64', 'xxh3'],
    ['xxh3_128', 'xxh128'],
    ['XXH128', 'xxh128'],
  ] as const)('understands the name %s', (name, algorithm) => {
    const hex = '0'.repeat(digestBytes[algorithm] * 2)
    expect(parseChecksum(name, hex)).toEqual({ algorithm, value: hex })
  })

  test('takes quotes and the weak prefix off an ETag', () => {
    for (const text of [MD5, `"${MD5}"`, `W/"${MD5.toUpperCase()}"`]) {
      expect(parseChecksum('etag', text)).toEqual({ algorithm: 's3_etag', value: MD5 })
    }
    expect(parseChecksum('s3_etag', `"${MD5}-10000"`).value).toBe(`${MD5}-10000`)
  })

  test.each([`${MD5}-0`, `${MD5}-10001`, `${MD5}-`, `"${MD5}`, `${MD5.slice(1)}-2`, 'x'.repeat(32)])(
    'refuses the ETag %s',
    text => {
      expect(() => parseChecksum('s3_etag', text)).toThrow(/s3_etag must be 32 hex digits/)
    },
  )

  test('accepts anything as the value of null', () => {
    expect(parseChecksum('null', 'whatever')).toEqual({ algorithm: 'null', value: '' })
  })

  test('names the action, the rule, the value and the algorithm that the value fits', () => {
    expect(() => parseChecksum('sha256', MD5)).toThrow(
      `Cannot use the checksum '${MD5}': sha256 must be 64 hex digits or 44 base64 characters, got 32 characters; it has the form of md5`,
    )
  })

  test.each([
    ['sha265', 'sha256'],
    ['md6', 'md5'],
    ['blake', 'blake3'],
    ['crc32d', 'crc32'],
    ['crc64-nvm', 'crc64nvme'],
    ['s3-tag', 's3_etag'],
  ])('suggests for the name %s the nearest algorithm, %s', (name, nearest) => {
    expect(() => parseChecksum(name, MD5)).toThrow(`got '${name}'; did you mean ${nearest}?`)
  })

  test('suggests nothing where nothing is near, not even what every object has', () => {
    for (const name of ['whirlpool', 'constructor', '']) {
      const error = caught(() => parseChecksum(name, MD5))
      expect(error).toBeInstanceOf(TransferError)
      expect(error).toMatchObject({ code: 'Usage' })
      expect(String(error)).not.toContain('did you mean')
    }
  })

  test.each([
    ['a digit too few', MD5.slice(1)],
    ['a digit too many', `${MD5}0`],
    ['a letter that is not hex', `${MD5.slice(1)}g`],
    ['base64 with stray bits', 'JfnnlDI7RTiF9RgfG2JNCx=='],
    ['base64 with the wrong padding', 'JfnnlDI7RTiF9RgfG2JNCw='],
    ['nothing', ''],
  ])('refuses an MD5 with %s', (_, text) => {
    expect(() => parseChecksum('md5', text)).toThrow(TransferError)
  })
})

describe('parseChecksumArgument()', () => {
  const { md5, md5Base64 } = digestVectors[1]!
  const sha512 = Buffer.alloc(64, 7)

  test.each([
    [`md5:${md5}`, 'md5', md5],
    [`MD5:${md5Base64}`, 'md5', md5],
    [`md5-${md5Base64}`, 'md5', md5],
    [`sha512-${sha512.toString('base64')}`, 'sha512', sha512.toString('hex')],
    [`sha-512-${sha512.toString('base64url')}?opt`, 'sha512', sha512.toString('hex')],
    [`sha-512:${sha512.toString('hex')}`, 'sha512', sha512.toString('hex')],
    [`s3_etag:"${md5}-12"`, 's3_etag', `${md5}-12`],
    ['null', 'null', ''],
  ])('reads %s', (text, algorithm, value) => {
    expect(parseChecksumArgument(text)).toEqual({ algorithm, value })
  })

  test('asks for the algorithm of a bare digest and says which it may be', () => {
    expect(() => parseChecksumArgument(md5)).toThrow(/must name its algorithm, .*has the form of md5/)
    expect(() => parseChecksumArgument(`${md5}-3`)).toThrow(/has the form of s3_etag/)
  })
})

test('formatChecksum() writes what parseChecksumArgument() reads', () => {
  const checksum = { algorithm: 'crc32c', value: 'e3069283' } as const
  expect(formatChecksum(checksum)).toBe('crc32c:e3069283')
  expect(formatChecksum(checksum, 'base64')).toBe('crc32c:4waSgw==')
  expect(parseChecksumArgument(formatChecksum(checksum, 'base64'))).toEqual(checksum)
  expect(formatChecksum({ algorithm: 's3_etag', value: `${MD5}-2` }, 'base64')).toBe(`s3_etag:${MD5}-2`)
})

test('partCount() tells composites from plain digests', () => {
  expect(partCount(MD5)).toBeUndefined()
  expect(partCount(`${MD5}-12`)).toBe(12)
})

function caught(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}
