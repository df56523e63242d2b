import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstHop, type Hop, MAX_HOPS, nextHop } from './redirects.ts'
import { requestHeaders } from './request-headers.ts'
import { originOf, parseRequestUrl } from './request-url.ts'

const SECRETS = {
  Authorization: 'Bearer secret',
  Cookie: 'a=secret',
  'Proxy-Authorization': 'Basic secret',
  'X-Api-Key': 'secret',
  'X-Auth-Token': 'secret',
  'Private-Token': 'secret',
  'X-Amz-Security-Token': 'secret',
  'X-Mine': 'secret',
}
const options = { secretHeaders: new Set(['x-mine']) }

function start(uri: string, headers: Record<string, string> = SECRETS): Hop {
  return firstHop(parseRequestUrl(uri), requestHeaders(headers))
}

function secretsIn(hop: Hop): string[] {
  return Object.keys(hop.headers).filter(name => hop.headers[name]?.includes('secret'))
}

describe('nextHop()', () => {
  test('keeps everything on the same origin, also when the default port is spelt out', () => {
    for (const location of ['/b', 'b?x=1', 'https://host/b', 'https://HOST:443/b']) {
      expect(secretsIn(nextHop(start('https://host/a'), location, options))).toHaveLength(8)
    }
  })

  test.each([
    ['another host', 'https://host/a', 'https://other/a'],
    ['a subdomain', 'https://host/a', 'https://sub.host/a'],
    ['another port', 'https://host/a', 'https://host:8443/a'],
    ['another scheme', 'http://host/a', 'https://host/a'],
    ['a scheme-relative Location', 'https://host/a', '//other/a'],
  ])('drops every secret header on the way to %s', (_, from, to) => {
    const hop = nextHop(start(from, { ...SECRETS, 'X-Harmless': 'yes' }), to, options)
    expect(secretsIn(hop)).toEqual([])
    expect(hop.headers['x-harmless']).toBe('yes')
    expect(hop.hasLeftOrigin).toBe(true)
  })

  test('never gives a secret back when the chain returns', () => {
    const away = nextHop(start('https://host/a'), 'https://other/', options)
    const back = nextHop(away, 'https://host/b', options)
    expect(secretsIn(back)).toEqual([])
    expect(back.hasLeftOrigin).toBe(true)
  })

  test('no chain ever carries a secret to another origin, nor anywhere after it', () => {
    const place = fc.tuple(fc.constantFrom('a.test', 'b.test'), fc.constantFrom(443, 8443), fc.nat(1_000_000))
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 15 }), places => {
        let hop = start('https://a.test/start')
        const first = originOf(hop.url)
        let hasLeft = false
        for (const [index, [host, port, path]] of places.entries()) {
          hop = nextHop(hop, `https://${host}:${port}/${index}/${path}`, options)
          hasLeft ||= originOf(hop.url) !== first
          expect(secretsIn(hop).length).toBe(hasLeft ? 0 : 8)
        }
      }),
    )
  })

  test('refuses https to http unless it is allowed', () => {
    const hop = start('https://host/a')
    expect(() => nextHop(hop, 'http://host/a', options)).toThrow(/https to http/)
    expect(nextHop(hop, 'http://host/a', { ...options, allowDowngrade: true }).url.href).toBe('http://host/a')
    expect(secretsIn(nextHop(hop, 'http://host/a', { ...options, allowDowngrade: true }))).toEqual([])
  })

  test.each(['ftp://host/a', 'file:///etc/passwd', 'data:text/plain,x', 'javascript:alert(1)', 'gopher://host'])(
    'refuses %s',
    location => {
      expect(() => nextHop(start('https://host/a'), location, options)).toThrow(/Cannot follow the redirect of host/)
    },
  )

  test.each([undefined, '', 'https://', 'http://[', '/a\r\nX: y', '/a\tb', '/a\0'])(
    'refuses the Location %j',
    location => {
      expect(() => nextHop(start('https://host/a'), location, options)).toThrow(/Cannot follow the redirect of host/)
    },
  )

  test('finds loops', () => {
    const a = start('https://host/a')
    expect(() => nextHop(a, '/a', options)).toThrow(/same chain/)
    expect(() => nextHop(a, '/a#fragment', options)).toThrow(/same chain/)
    const b = nextHop(a, '/b', options)
    expect(() => nextHop(b, 'https://host:443/a', options)).toThrow(/same chain/)
  })

  test(`follows ${MAX_HOPS} redirects and no more`, () => {
    let hop = start('https://host/start')
    for (let count = 1; count <= MAX_HOPS; count++) hop = nextHop(hop, `/${count}`, options)
    expect(() => nextHop(hop, '/one-more', options)).toThrow(/more than 20/)
  })

  test('turns user-info into a header and leaves none in the URL', () => {
    const first = start('https://me:p%40ss@host/a#part', {})
    expect(first.url.href).toBe('https://host/a')
    expect(first.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`)
    expect(nextHop(first, 'https://other/', options).headers.authorization).toBeUndefined()
    expect(nextHop(first, 'https://you@other/', options).headers.authorization).toBe('Basic eW91Og==')
  })

  test('sends no Authorization beside a signature in the query', () => {
    const hop = nextHop(start('https://host/a'), '/b?X-Amz-Signature=1', options)
    expect(hop.headers.authorization).toBeUndefined()
    expect(hop.headers.cookie).toBe('a=secret')
    expect(start('https://u:p@host/?sig=1').headers.authorization).toBeUndefined()
  })

  test('never shows a query in a message', () => {
    expect(() => nextHop(start('https://host/a'), 'http://host/?X-Amz-Signature=topsecret', options)).toThrow(
      /^(?!.*topsecret)/,
    )
  })
})

describe('parseRequestUrl()', () => {
  test.each([
    'https://host/a b',
    'https://host/a\nb',
    'https://host/\r\nX: y',
    'https://host/\0',
    'ftp://host/',
    'https://',
    'nonsense',
    'https://host:99999/',
  ])('refuses %j', uri => {
    expect(() => parseRequestUrl(uri)).toThrow(expect.objectContaining({ code: 'Usage' }))
  })
})

describe('requestHeaders()', () => {
  test.each([
    ['X-A', 'a\r\nX-B: c'],
    ['X-A', 'a\nb'],
    ['X-A', 'a\0'],
    ['X-A', 'snow ☃'],
    ['X A', 'a'],
    ['X-A:', 'a'],
    ['', 'a'],
    ['X-A\r\n', 'a'],
    ['Host', 'other'],
    ['Range', 'bytes=0-1'],
    ['If-Range', '"x"'],
    ['Accept-Encoding', 'gzip'],
    ['Transfer-Encoding', 'chunked'],
    ['content-length', '5'],
  ])('refuses %j: %j', (name, value) => {
    expect(() => requestHeaders({ [name]: value })).toThrow(expect.objectContaining({ code: 'Usage' }))
  })

  test('does not show the value of a refused header', () => {
    expect(() => requestHeaders({ Authorization: 'hunter2\n' })).toThrow(/^(?!.*hunter2)/)
  })

  test('lets callers say who they are', () => {
    expect(requestHeaders({ 'User-Agent': 'mine' })['user-agent']).toBe('mine')
    expect(requestHeaders()['user-agent']).toMatch(/^arriero\/\d/)
  })
})
