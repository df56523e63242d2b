import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSecretName, printable, redactText, redactUrl } from './redact.ts'

describe('redactUrl()', () => {
  test.each([
    ['https://host/a?b=c', 'https://host/a?b=c'],
    ['https://user:pw@host/a', 'https://host/a'],
    ['https://user@host:8443/a', 'https://host:8443/a'],
    ['ftp://u:p@ss@host/a', 'ftp://host/a'],
    ['https://[::1]:80/a', 'https://[::1]:80/a'],
    ['https://host/a@b', 'https://host/a@b'],
    ['https://host/a#access_token=x', 'https://host/a'],
    ['https://user:p/w@host/a', 'https://***'],
    ['https://user:p?w@host/a', 'https://***'],
    ['https://user:p#w@host/a', 'https://***'],
    ['//u:p@host/a', '//host/a'],
    ['s3://bucket/key with space', 's3://bucket/key with space'],
    ['drs://dg.4503:1234-abc', 'drs://dg.4503:1234-abc'],
    ['drs://user:pass@host/id', 'drs://host/id'],
    ['not a url', 'not a url'],
    ['?token=x', '?token=***'],
    [
      'https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F1&X-Amz-Date=20240101T000000Z&X-Amz-Expires=60&X-Amz-Security-Token=tt&X-Amz-Signature=ff&versionId=3',
      'https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=***&X-Amz-Date=20240101T000000Z&X-Amz-Expires=60&X-Amz-Security-Token=***&X-Amz-Signature=***&versionId=3',
    ],
    ['https://h/k?AWSAccessKeyId=A&Expires=1&Signature=s', 'https://h/k?AWSAccessKeyId=***&Expires=1&Signature=***'],
    ['https://h/k?GoogleAccessId=a&X-Goog-Date=1', 'https://h/k?GoogleAccessId=***&X-Goog-Date=***'],
    ['https://h/k?sv=1&se=2&sp=r&sig=s', 'https://h/k?sv=***&se=***&sp=***&sig=***'],
    ['https://h/k?X%2DAmz%2DSignature=ff', 'https://h/k?X%2DAmz%2DSignature=***'],
    ['https://h/k?a=1;token=x', 'https://h/k?a=1;token=***'],
    ['https://h/k?token=', 'https://h/k?token='],
    ['https://h/k?to=https%3A%2F%2Fu%3Ap%40g%2F%3Fsig%3Dx', 'https://h/k?to=https%3A%2F%2Fg%2F%3Fsig%3D***'],
  ])('shows %s as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })

  test('never shows a secret, wherever it stands, and is idempotent', () => {
    const canary = 'c4n4ry'
    const word = fc.string({ unit: fc.constantFrom('a', '/', '?', '#', '&', '=', '%', ':', '@', ' ', '\\', '2') })
    const place = fc.constantFrom('user', 'password', 'query', 'fragment')
    const name = fc.constantFrom(
      'sig',
      'Signature',
      'X-Amz-Signature',
      'X-Goog-Signature',
      'access_token',
      'client_secret',
      'passwd',
      'key',
    )
    fc.assert(
      fc.property(place, name, word, word, (where, parameter, path, tail) => {
        const clean = path.replaceAll(/[?#&]/g, '')
        const url = {
          user: `https://${canary}@host/${path}`,
          password: `https://u:${canary}@host/${path}`,
          query: `https://host/${clean}?a=${clean}&${parameter}=${canary}&${tail}`,
          fragment: `https://host/${path}#${canary}`,
        }[where]
        const shown = redactUrl(url)
        expect(shown).not.toContain(canary)
        expect(redactUrl(shown)).toBe(shown)
      }),
      { numRuns: 2000 },
    )
  })

  test('hides a password that has the characters of URLs in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('x', '/', '?', '#', '@', ':', '\\', '7') }), noise => {
        expect(redactUrl(`https://u:c4n${noise}4ry@host/a`)).not.toMatch(/c4n|4ry@/)
      }),
    )
  })
})

describe('redactText()', () => {
  test.each([
    ['GET https://u:p@h/x?sig=1 failed', 'GET https://h/x?sig=*** failed'],
    ['got "https://u:p@h/x"', 'got "https://h/x"'],
    ['Authorization: Bearer abc.def', 'Authorization: ***'],
    ['proxy-authorization: Basic dTpw\nHost: h', 'proxy-authorization: ***\nHost: h'],
    ['{"Authorization":"Bearer abc","a":1}', '{"Authorization":"***","a":1}'],
    ['Authorization: Digest username="u", response="r"', 'Authorization: ***'],
    [String.raw`{\"Authorization\":\"x\"}`, String.raw`{\"Authorization\":\"***"}`],
    ['Cookie: a=b; c=d', 'Cookie: ***'],
    ['X-Api-Key: 123', 'X-Api-Key: ***'],
    ['x-auth-token=123', 'x-auth-token=***'],
    ['sent bearer abcdefgh1 to h', 'sent bearer *** to h'],
    ['1https://u:p@h/', '1https://h/'],
    ['the answer of http://h:80: it must be JSON', 'the answer of http://h:80: it must be JSON'],
    ['at http://[::1]:80, or (at https://h:1/a).', 'at http://[::1]:80, or (at https://h:1/a).'],
    ['at https://u:p@h:80: refused', 'at https://h:80: refused'],
    [
      'Cannot fetch https://h/k?X-Amz-Signature=0f: h answered 503',
      'Cannot fetch https://h/k?X-Amz-Signature=***: h answered 503',
    ],
    ['GET /k?x-api-key=0f, then Cookie: a=b', 'GET /k?x-api-key=***, then Cookie: ***'],
    ['at ?a=1&X-Amz-Signature="0f" of', 'at ?a=1&X-Amz-Signature=***'],
    ['at https://u:p: refused', 'at https://***: refused'],
    ['GET /a b?x=1&sig=2 failed', 'GET /a b?x=1&sig=*** failed'],
    ['{"access_token":"abc","password": "def"}', '{"access_token":"***","password": "***"}'],
    ['password=abc, user=u', 'password=***, user=u'],
    ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-x is old', 'token *** is old'],
    ['key AKIAIOSFODNN7EXAMPLE', 'key ***'],
    // What follows the credential is a URL only once the credential is hidden.
    ['Bearer =https://https://:token', 'Bearer ***://https://***'],
  ])('shows %j as %j', (text, shown) => {
    expect(redactText(text)).toBe(shown)
    expect(redactText(shown)).toBe(shown)
  })

  test('leaves digests, paths and plain words alone', () => {
    const text = `sha256 must be ${'ab'.repeat(32)}, got ${'cd'.repeat(32)} in /data/token list/key.txt: basic information of the bearer certificate, digest mismatch`
    expect(redactText(text)).toBe(text)
  })

  test('is idempotent and linear', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('token', '=', ':', '"', ' ', 'https://', '@', 'a', '?', '\n', 'Bearer ') }),
        text => {
          const shown = redactText(text)
          expect(redactText(shown)).toBe(shown)
        },
      ),
    )
    const started = performance.now()
    redactText('a'.repeat(200_000))
    redactText('x-a-'.repeat(50_000))
    redactText('eyJ'.repeat(50_000))
    redactText('eyJ-'.repeat(50_000))
    redactText('token '.repeat(50_000))
    redactText('bearer '.repeat(50_000))
    redactUrl(`${'a:'.repeat(100_000)}//`)
    redactUrl(`https://h/?${'&a;'.repeat(100_000)}`)
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

describe('isSecretName()', () => {
  test.each(['Authorization', 'http-passwd', 'X-Api-Key', 'sig', 'load-cookies-token'])('%s is secret', name => {
    expect(isSecretName(name)).toBe(true)
  })
  test.each(['out', 'versionId', 'Expires', 'X-Amz-Date', 'split', 'keyboard'])('%s is not', name => {
    expect(isSecretName(name)).toBe(false)
  })
})

describe('printable()', () => {
  test('makes every control character visible', () => {
    expect(printable('a\u001b[2J\u0007\r\n\t\u009b\u202e\u2028é')).toBe('a\\x1b[2J\\x07\\r\\n\\t\\x9b\\u202e\\u2028é')
    expect(printable('\ud800x😀')).toBe('\\ud800x😀')
  })
})
