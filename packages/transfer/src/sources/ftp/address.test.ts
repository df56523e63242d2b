import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TransferError } from '../../errors.ts'
import { encodePath, parseFtpAddress } from './address.ts'

describe('parseFtpAddress()', () => {
  test.each([
    ['ftp://host', 'ftp://host:21', '', 'none'],
    ['FTP://Host:2121/a/b', 'ftp://host:2121', 'a/b', 'none'],
    ['ftp://host/%2Fetc/x', 'ftp://host:21', '/etc/x', 'none'],
    ['ftp://host//etc/x', 'ftp://host:21', '/etc/x', 'none'],
    ['ftp://host/a%20b%25?c%23#d', 'ftp://host:21', 'a b%?c#', 'none'],
    ['ftp://host/a;type=I', 'ftp://host:21', 'a', 'none'],
    ['ftp://host/a%3Btype=x', 'ftp://host:21', 'a;type=x', 'none'],
    ['ftp://[2001:db8::1]:99/a', 'ftp://[2001:db8::1]:99', 'a', 'none'],
    ['ftps://host/a', 'ftps://host:990', 'a', 'implicit'],
    ['ftps://host:2990/a', 'ftps://host:2990', 'a', 'implicit'],
    ['ftps://host:21/a', 'ftps://host:21', 'a', 'explicit'],
  ])('%s', (uri, origin, path, security) => {
    expect(parseFtpAddress(uri)).toMatchObject({ origin, path, security })
  })

  test('takes options before what the scheme says of TLS', () => {
    expect(parseFtpAddress('ftp://host/a', { tls: 'explicit' })).toMatchObject({ port: 21, security: 'explicit' })
    expect(parseFtpAddress('ftp://host/a', { tls: 'implicit' })).toMatchObject({ port: 990, security: 'implicit' })
    expect(parseFtpAddress('ftps://host/a', { tls: 'explicit' })).toMatchObject({ port: 21, security: 'explicit' })
  })

  test('decodes name and password, which may have colons and at-signs', () => {
    const address = parseFtpAddress('ftp://me%40home:p%3Aw:%E9@x@host/a')
    expect(address).toMatchObject({ user: 'me@home', password: 'p:w:\xe9@x', host: 'host' })
    expect(parseFtpAddress('ftp://me@host/a')).toMatchObject({ user: 'me', password: undefined })
    expect(parseFtpAddress('ftp://host/a@b')).toMatchObject({ user: undefined, path: 'a@b' })
  })

  test('gives text as UTF-8 bytes, and bytes as they are', () => {
    expect(parseFtpAddress('ftp://host/é').path).toBe('\xc3\xa9')
    expect(parseFtpAddress('ftp://host/%E9').path).toBe('\xe9')
  })

  test.each([
    'ftp://host/a%0d%0aDELE%20x',
    'ftp://host/a%00',
    'ftp://me%0A:x@host/a',
    'ftp://me:x%0Dy@host/a',
    'ftp://host/a\nb',
    'ftp://host/%zz',
    'ftp://host/100%',
    'ftp://host:0/a',
    'ftp://host:70000/a',
    'ftp:///a',
    'ftp://[::g]/a',
    'ftp:host/a',
    'ftp://host/a;type=a',
  ])('refuses %j', uri => {
    const parse = () => parseFtpAddress(uri)
    expect(parse).toThrow(TransferError)
    expect(parse).toThrow(expect.objectContaining({ code: 'Usage' }))
  })

  test('says no password when it refuses', () => {
    expect(() => parseFtpAddress('ftp://me:hunter2@host/%0a')).toThrow(/^(?!.*(?:hunter2|me:)).*ftp:\/\/host/)
  })

  test('gives back what encodePath() encoded', () => {
    const bytes = fc.stringMatching(/^[^\r\n\0]*$/).map(text => Buffer.from(text, 'utf8').toString('latin1'))
    fc.assert(fc.property(bytes, path => parseFtpAddress(`ftp://host/${encodePath(path)}`).path === path))
  })
})
