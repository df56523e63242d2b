import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TransferError } from '../errors.ts'
import { parseIdentifier } from './identifier.ts'

const guid = 'c5956122-ee2d-4f2c-8f1d-0b7c0f4f3a11'

/** Without what was not said. */
function parsed(text: string, options = {}) {
  const { host, prefix, objectId } = parseIdentifier(text, options)
  return { ...(host && { host }), ...(prefix && { prefix }), objectId }
}

describe('parseIdentifier() takes every form of gen3 5.1', () => {
  test.each([
    ['a bare GUID', guid, { objectId: guid }],
    ['a GUID behind its prefix', `dg.4503/${guid}`, { prefix: 'dg.4503', objectId: `dg.4503/${guid}` }],
    ['a host', `drs://host.org/${guid}`, { host: 'host.org', objectId: guid }],
    ['a host, id with slashes', 'drs://host.org/a/b%2Fc', { host: 'host.org', objectId: 'a/b/c' }],
    ['a host, id with a colon', 'drs://host.org/a:b', { host: 'host.org', objectId: 'a:b' }],
    ['a compact identifier', 'drs://dg.4503:ID', { prefix: 'dg.4503', objectId: 'ID' }],
    ['a compact identifier of GA4GH', 'drs://drs.42:ID', { prefix: 'drs.42', objectId: 'ID' }],
    ['a provider and a namespace', 'drs://prov/ns:acc', { prefix: 'prov/ns', objectId: 'acc' }],
    ['an id that repeats its prefix', 'drs://dg.4503:dg.4503%2FID', { prefix: 'dg.4503', objectId: 'dg.4503/ID' }],
    ['a prefix with a slash', 'drs://dg.4503/ID', { prefix: 'dg.4503', objectId: 'dg.4503/ID' }],
    ['dos://', 'dos://host.org/ID', { host: 'host.org', objectId: 'ID' }],
    ['an address', 'https://host.org/ga4gh/drs/v1/objects/dg.A%2Fb', { host: 'host.org', objectId: 'dg.A/b' }],
    [
      'an address with a port',
      'http://127.0.0.1:8080/ga4gh/drs/v1/objects/b',
      { host: '127.0.0.1:8080', objectId: 'b' },
    ],
    ['schemes and hosts in capitals', 'DRS://Host.ORG/Id', { host: 'host.org', objectId: 'Id' }],
    ['prefixes in capitals', 'drs://DG.4503/Id', { prefix: 'dg.4503', objectId: 'dg.4503/Id' }],
    ['an id without a host', `drs:${guid}`, { objectId: guid }],
    ['a prefixed id without a host', 'drs:dg.4503/ID', { prefix: 'dg.4503', objectId: 'dg.4503/ID' }],
    ['an encoded id without a host', 'DRS:a%2Fb%25', { objectId: 'a/b%' }],
    ['localhost', 'drs://localhost/ID', { host: 'localhost', objectId: 'ID' }],
    ['localhost with a port', 'drs://localhost:8443/ID', { host: 'localhost:8443', objectId: 'ID' }],
    ['an IPv4 address with a port', 'drs://127.0.0.1:8443/ID', { host: '127.0.0.1:8443', objectId: 'ID' }],
    ['an IPv6 address', 'drs://[2001:DB8::1]/ID', { host: '[2001:db8::1]', objectId: 'ID' }],
    ['an IPv6 address with a port', 'drs://[::1]:8443/a/b', { host: '[::1]:8443', objectId: 'a/b' }],
  ])('%s', (_, text, expected) => {
    expect(parsed(text)).toEqual(expected)
  })

  test('a port is a compact identifier, unless it is allowed', () => {
    expect(parsed('drs://host.org:8443/ID')).toEqual({ prefix: 'host.org', objectId: '8443/ID' })
    expect(parsed('drs://host.org:8443/ID', { allowPort: true })).toEqual({ host: 'host.org:8443', objectId: 'ID' })
    expect(parsed('drs://dg.4503:ID', { allowPort: true })).toEqual({ prefix: 'dg.4503', objectId: 'ID' })
  })

  test('keeps what was written', () => {
    expect(parseIdentifier('drs://host.org/a%2Fb').text).toBe('drs://host.org/a%2Fb')
  })
})

describe('parseIdentifier() refuses', () => {
  test.each([
    ['nothing', ''],
    ['a host without an id', 'drs://host.org/'],
    ['a host alone', 'drs://host.org'],
    ['a prefix without an id', 'drs://dg.4503:'],
    ['a prefix with a slash and no id', 'drs://dg.4503/'],
    ['no prefix', 'drs://:ID'],
    ['no host', 'drs:///ID'],
    ['a word that is neither host nor prefix', 'drs://word/ID'],
    ['a query', 'drs://host.org/ID?x=1'],
    ['a fragment', 'drs://host.org/ID#x'],
    ['broken percent-encoding', 'drs://host.org/a%zz'],
    ['ARK without drs://', 'ark:/12345/abc'],
    ['DOI without drs://', 'doi:10.1000/182'],
    ['another address', 'https://host.org/ID'],
    ['white space', 'a b'],
    ['white space behind the scheme', 'drs:a%20b'],
    ['nothing behind the scheme', 'drs:'],
    ['one slash', 'drs:/a'],
    ['a scheme twice', 'drs:drs:a'],
    ['ARK behind the bare scheme', 'drs:ark:/12345/abc'],
  ])('%s', (_, text) => {
    expect(() => parseIdentifier(text)).toThrow(expect.objectContaining({ code: 'Usage' }))
  })
})

test('whatever comes in, the result has an object id or the error is ours', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map(rest => `drs://${rest}`),
    fc.stringMatching(/^drs:\/\/[a-z.:/%0-9]{0,20}$/),
  )
  fc.assert(
    fc.property(text, fc.boolean(), (input, allowPort) => {
      try {
        expect(parseIdentifier(input, { allowPort }).objectId).not.toBe('')
      } catch (error) {
        expect(error).toBeInstanceOf(TransferError)
      }
    }),
  )
})

test('any id without . and .. survives being written for a host and for a prefix', () => {
  const anyId = fc.string({ minLength: 1, unit: 'grapheme' }).filter(id => !/(?:^|\/)\.{1,2}(?:\/|$)/.test(id))
  fc.assert(
    fc.property(anyId, id => {
      const encoded = encodeURIComponent(id)
      expect(parseIdentifier(`drs://host.org/${encoded}`).objectId).toBe(id)
      expect(parseIdentifier(`drs://dg.4503:${encoded}`).objectId).toBe(id)
    }),
  )
})
