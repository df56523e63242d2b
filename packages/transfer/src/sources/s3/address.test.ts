import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeKey, encodeStrictly, parseS3Uri, queryOf, uriOf } from './address.ts'

describe('parseS3Uri()', () => {
  test.each([
    ['s3://bucket', 'bucket', '', undefined],
    ['s3://bucket/', 'bucket', '', undefined],
    ['S3://bucket/a b%41', 'bucket', 'a b%41', undefined],
    ['s3://bucket//a', 'bucket', '/a', undefined],
    ['s3://bucket/a?b#c', 'bucket', 'a?b#c', undefined],
    ['s3://bucket/a?versionId=3HL4.k_q-t', 'bucket', 'a', '3HL4.k_q-t'],
    ['s3://bucket/a?versionId=', 'bucket', 'a?versionId=', undefined],
    ['s3://bucket/a?versionId=x/y', 'bucket', 'a?versionId=x/y', undefined],
  ])('%s', (uri, name, key, versionId) => {
    expect(parseS3Uri(uri)).toEqual({ container: { name }, key, versionId })
  })

  test('takes access points by their ARN', () => {
    const { container, key } = parseS3Uri('s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/mine/a/b')
    expect(container.accessPoint).toEqual({ name: 'mine', account: '123456789012', region: 'eu-west-1' })
    expect(key).toBe('a/b')
    expect(parseS3Uri(uriOf(container, key))).toEqual({ container, key, versionId: undefined })
  })

  test.each([
    ['s3://user:password@bucket/key', 'Usage'],
    ['s3:///key', 'Usage'],
    ['s3://../key', 'Usage'],
    ['https://bucket/key', 'Usage'],
    ['s3://bucket/\ud800', 'Usage'],
    ['s3://data--use1-az4--x-s3/key', 'Unsupported'],
    ['s3://arn:aws:s3::123456789012:accesspoint/mine.mrap/key', 'Unsupported'],
    ['s3://arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/mine/key', 'Unsupported'],
  ])('refuses %s', (uri, code) => {
    expect(() => parseS3Uri(uri)).toThrow(expect.objectContaining({ code }))
  })

  test('does not show what may be a password', () => {
    expect(() => parseS3Uri('s3://user:password@bucket/key')).toThrow(expect.not.stringContaining('password'))
  })
})

test('a key is encoded once, and nothing in it but slashes stays that is not unreserved', () => {
  expect(encodeKey("a b/../%41//é!'()*~")).toBe('a%20b/../%2541//%C3%A9%21%27%28%29%2A~')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), key => {
      fc.pre(key.isWellFormed())
      const encoded = encodeKey(key)
      expect(encoded).toMatch(/^[\w.~/%-]*$/)
      expect(decodeURIComponent(encoded)).toBe(key)
      expect(encodeStrictly(key)).not.toContain('/')
    }),
  )
})

test('a query is in the order of its encoded names, without what is not given', () => {
  expect(queryOf({ prefix: 'a/b c', 'list-type': '2', delimiter: '/', marker: undefined })).toBe(
    '?delimiter=%2F&list-type=2&prefix=a%2Fb%20c',
  )
  expect(queryOf({ a: undefined })).toBe('')
})
