import { describe, expect, test } from 'vitest'
import { contentCoding, isDateStrong, parseEntityTag, resourceFromHeaders } from './resource-from-headers.ts'

const facts = { size: 5, ranges: 'yes', hasWholeBody: true } as const

describe('resourceFromHeaders()', () => {
  test('reads validators, version, name and type', () => {
    expect(
      resourceFromHeaders(
        {
          etag: '"v1"',
          'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
          date: 'Fri, 02 Jan 2026 03:05:05 GMT',
          'x-amz-version-id': 'abc',
          'content-disposition': 'attachment; filename="../../x"',
          'content-type': 'application/fits',
        },
        facts,
      ),
    ).toMatchObject({
      size: 5,
      ranges: 'yes',
      etag: { value: 'v1', isWeak: false },
      lastModified: Date.UTC(2026, 0, 2, 3, 4, 5),
      version: 'abc',
      name: '../../x',
      contentType: 'application/fits',
      contentEncoding: undefined,
    })
  })

  test('takes no version from a bucket without versions', () => {
    expect(resourceFromHeaders({ 'x-amz-version-id': 'null' }, facts).version).toBeUndefined()
  })

  test('reads the checksums that the server offers', () => {
    const { checksums } = resourceFromHeaders({ 'x-goog-hash': 'crc32c=AAAAAA==,md5=1B2M2Y8AsgTpgAmY7PhCfg==' }, facts)
    expect(checksums.map(({ algorithm }) => algorithm)).toEqual(['crc32c', 'md5'])
  })
})

test('parseEntityTag() tells strong, weak and bare tags apart', () => {
  expect(parseEntityTag('"a-b"')).toEqual({ value: 'a-b', isWeak: false })
  expect(parseEntityTag('W/"a"')).toEqual({ value: 'a', isWeak: true })
  expect(parseEntityTag('""')).toEqual({ value: '', isWeak: false })
  expect(parseEntityTag('bare')).toEqual({ value: 'bare', isWeak: true })
  expect(parseEntityTag(undefined)).toBeUndefined()
})

test('contentCoding() knows what is no coding', () => {
  expect(contentCoding({ 'content-encoding': 'Identity' })).toBeUndefined()
  expect(contentCoding({ 'content-encoding': 'aws-chunked' })).toBeUndefined()
  expect(contentCoding({ 'content-encoding': 'aws-chunked, GZIP' })).toBe('gzip')
  expect(contentCoding({ 'content-encoding': ['gzip', 'br'] })).toBe('gzip, br')
})

test('isDateStrong() wants a minute between change and answer', () => {
  const at = (lastModified: number, date?: number) =>
    isDateStrong({ size: 1, ranges: 'yes', checksums: [], lastModified, date })
  expect(at(0, 60_000)).toBe(true)
  expect(at(0, 59_999)).toBe(false)
  expect(at(0)).toBe(false)
})
