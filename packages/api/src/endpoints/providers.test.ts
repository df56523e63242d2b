import { describe, expect, test } from 'vitest'
import { bytesUrl, httpProvider } from './providers.ts'

describe('bytesUrl()', () => {
  test.each([
    ['https://example.org', '/api/v2/upload/bytes/1', 'https://example.org/api/v2/upload/bytes/1'],
    ['https://example.org:8443/lib', '/api/v2/upload/bytes/1', 'https://example.org:8443/lib/api/v2/upload/bytes/1'],
    ['https://example.org/lib', 'https://example.org/lib/bytes/1', 'https://example.org/lib/bytes/1'],
  ])('at %s, %s is %s', (address, url, expected) => {
    expect(bytesUrl(address, { url })).toBe(expected)
  })

  test.each([
    'https://other.example/x',
    'http://example.org/x',
    '//other.example/x',
    'https://example.org:444/x',
    'x',
    '',
    'file:///etc/passwd',
  ])('refuses %j: credentials go along', url => {
    expect(() => bytesUrl('https://example.org', { url })).toThrow(expect.objectContaining({ code: 'BadAnswer' }))
  })
})

test('httpProvider is none that names machines, or that speaks something else', () => {
  const offer = { hostnames: [], url: '/x', protocol: 'tus', version: '1.0.0' }
  expect(httpProvider.parse(offer)).toEqual(offer)
  expect(httpProvider.safeParse({ ...offer, hostnames: ['h'] }).success).toBe(false)
  expect(httpProvider.safeParse({ ...offer, protocol: 'smtp' }).success).toBe(false)
  expect(httpProvider.safeParse({ hostnames: [] }).success).toBe(false)
})
