import { describe, expect, test } from 'vitest'
import { digestVectors } from '../../test/data.ts'
import { checksumsFromHeaders } from './header-checksums.ts'
import type { Headers } from './headers.ts'

const vector = digestVectors[1]!
const SHA256 = '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'
const SHA256_BASE64 = Buffer.from(SHA256, 'hex').toString('base64')

function read(headers: Headers, hasWholeBody = true) {
  const warnings: string[] = []
  const offered = checksumsFromHeaders(headers, { hasWholeBody, warn: warning => warnings.push(warning) })
  return { offered, warnings }
}

describe('checksumsFromHeaders()', () => {
  test('offers a full-object S3 checksum', () => {
    const { offered, warnings } = read({
      'x-amz-checksum-crc64nvme': vector.crc64nvmeBase64,
      'x-amz-checksum-type': 'FULL_OBJECT',
    })
    expect(offered).toEqual([
      { algorithm: 'crc64nvme', value: vector.crc64nvme, coverage: 'object', origin: 'x-amz-checksum-crc64nvme' },
    ])
    expect(warnings).toEqual([])
  })

  test.each([
    ['by its type', { 'x-amz-checksum-crc32c': '4waSgw==-3', 'x-amz-checksum-type': 'COMPOSITE' }],
    ['by its suffix', { 'x-amz-checksum-crc32c': '4waSgw==-3' }],
    [
      'with the parts that the ETag tells',
      {
        'x-amz-checksum-crc32c': '4waSgw==',
        'x-amz-checksum-type': 'COMPOSITE',
        etag: `"${vector.md5}-3"`,
        'x-amz-server-side-encryption': 'aws:kms',
      },
    ],
  ])('offers a composite S3 checksum %s', (_, headers) => {
    expect(read(headers).offered).toEqual([
      { algorithm: 'crc32c', value: 'e3069283-3', coverage: 'composite', origin: 'x-amz-checksum-crc32c' },
    ])
  })

  test('leaves out S3 checksums beside a range: they may be one part’s', () => {
    expect(read({ 'x-amz-checksum-sha256': SHA256_BASE64 }, false).offered).toEqual([])
  })

  test.each([
    ['one comma list', `crc32c=${vector.crc32cBase64},md5=${vector.md5Base64}`],
    ['several fields', [`crc32c=${vector.crc32cBase64}`, `md5=${vector.md5Base64}`]],
  ])('reads x-goog-hash from %s, also beside a range', (_, value) => {
    expect(read({ 'x-goog-hash': value }, false).offered).toEqual([
      { algorithm: 'crc32c', value: vector.crc32c, coverage: 'object', origin: 'x-goog-hash' },
      { algorithm: 'md5', value: vector.md5, coverage: 'object', origin: 'x-goog-hash' },
    ])
  })

  test('leaves out x-goog-hash when the service inflated the body', () => {
    const headers = { 'x-goog-hash': `md5=${vector.md5Base64}`, 'x-goog-stored-content-encoding': 'gzip' }
    expect(read(headers).offered).toEqual([])
    expect(read({ ...headers, 'content-encoding': 'gzip' }).offered).toHaveLength(1)
  })

  test('reads Repr-Digest (RFC 9530) and Digest (RFC 3230) as of the object', () => {
    const { offered, warnings } = read(
      {
        'repr-digest': `sha-256=:${SHA256_BASE64}:, unixsum=:AAA=:, sha-512=:AAAA:;q=1`,
        digest: `SHA-256=${SHA256_BASE64},adler32=11e60398,id-sha-256=x,UNIXcksum=1`,
      },
      false,
    )
    expect(offered).toEqual([
      { algorithm: 'sha256', value: SHA256, coverage: 'object', origin: 'Repr-Digest' },
      { algorithm: 'sha256', value: SHA256, coverage: 'object', origin: 'Digest' },
      { algorithm: 'adler32', value: '11e60398', coverage: 'object', origin: 'Digest' },
    ])
    expect(warnings).toEqual(["Ignored Repr-Digest: 'AAAA' is not a digest of sha512"])
  })

  test('reads Content-MD5 and Content-Digest as of the body, which may be the object', () => {
    const headers = { 'content-md5': vector.md5Base64, 'content-digest': `sha-256=:${SHA256_BASE64}:` }
    expect(read(headers, false).offered.map(({ coverage }) => coverage)).toEqual(['body', 'body'])
    expect(read(headers).offered).toEqual([
      { algorithm: 'sha256', value: SHA256, coverage: 'object', origin: 'Content-Digest' },
      { algorithm: 'md5', value: vector.md5, coverage: 'object', origin: 'Content-MD5' },
    ])
  })

  test('ignores an MD5 that is called a crc32c, with a warning', () => {
    const { offered, warnings } = read({ digest: `crc32c=${vector.md5Base64}` })
    expect(offered).toEqual([])
    expect(warnings).toEqual([`Ignored Digest: '${vector.md5Base64}' is not a digest of crc32c`])
  })

  test('offers an ETag only where S3 says it', () => {
    const etag = `"${vector.md5}"`
    const expected = { algorithm: 's3_etag', value: vector.md5, coverage: 'object', origin: 'ETag' }
    expect(read({ etag, server: 'AmazonS3' }).offered).toEqual([expected])
    expect(read({ etag, 'x-amz-request-id': 'A1' }).offered).toEqual([expected])
    expect(read({ etag, server: 'nginx' }).offered).toEqual([])
    expect(read({ etag, server: 'nginx', 'x-amz-cf-id': 'A1' }).offered).toEqual([])
    expect(read({ etag: '"5d8c72a5edda8d6a"', server: 'AmazonS3' })).toEqual({ offered: [], warnings: [] })
    expect(read({ etag: `"${vector.md5}-2"`, server: 'AmazonS3' }).offered[0]).toMatchObject({ coverage: 'composite' })
  })
})
