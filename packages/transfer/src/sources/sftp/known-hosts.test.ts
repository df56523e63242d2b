import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { knownLine, makeKey } from '../../../test/sftp-server.ts'
import { fingerprintOf, knownName, lookUpKnownHost, matchesPatternList } from './known-hosts.ts'

const key = makeKey('ed25519').wire
const other = makeKey('ecdsa').wire
const keysFor = (name: string, ...lines: string[]) => lookUpKnownHost(lines, name).keys

describe('lookUpKnownHost()', () => {
  test('finds plain names, whatever their case, in lists, and with ports', () => {
    expect(keysFor('host', knownLine('a,HOST,b', key))).toEqual([key])
    expect(keysFor('[host]:2222', knownLine('[host]:2222,host', key))).toEqual([key])
    expect(keysFor('[host]:2222', knownLine('host', key))).toEqual([])
    expect(keysFor('host', knownLine('hostile', key))).toEqual([])
  })

  test('takes wildcards and negation', () => {
    expect(keysFor('a.lab.org', knownLine('*.lab.org', key))).toEqual([key])
    expect(keysFor('b1', knownLine('b?', key))).toEqual([key])
    expect(keysFor('bad.lab.org', knownLine('*.lab.org,!bad.*', key))).toEqual([])
    expect(keysFor('bad.lab.org', knownLine('!bad.lab.org', key))).toEqual([])
  })

  test('finds hashed names', () => {
    const salt = Buffer.from('0123456789abcdef0123')
    const hash = (name: string) =>
      `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
    expect(keysFor('[host]:2222', knownLine(hash('[host]:2222'), key))).toEqual([key])
    expect(keysFor('host', knownLine(hash('other'), key))).toEqual([])
    expect(keysFor('host', knownLine('|1|zz', key))).toEqual([])
  })

  test('keeps several keys of one host, revoked ones apart, and says where only an authority is known', () => {
    const text = [knownLine('host', key), knownLine('host', other), `@revoked ${knownLine('*', other)}`].join('\n')
    expect(lookUpKnownHost([text], 'host')).toEqual({ keys: [key, other], revoked: [other], hasAuthority: false })
    const authority = `@cert-authority ${knownLine('*.org', key)}`
    expect(lookUpKnownHost([authority], 'a.org')).toEqual({ keys: [], revoked: [], hasAuthority: true })
  })

  test('passes over comments and lines that cannot be read', () => {
    const lines = ['# host', '', 'host', 'host ssh-ed25519', `host ssh-rsa ${key.toString('base64')}`, '@odd host x y']
    expect(keysFor('host', lines.join('\r\n'))).toEqual([])
  })
})

test('knownName() names the port unless it is 22', () => {
  expect([knownName('Host', 22), knownName('Host', 23)]).toEqual(['host', '[host]:23'])
})

test('fingerprintOf() is what ssh-keygen tells', () => {
  const line = 'AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ'
  expect(fingerprintOf(Buffer.from(line, 'base64'))).toBe('SHA256:T7SvZ2cslqpPj6nKzitCBHHlpVF3r3MvLwmFL0fk0IE')
})

test('matchesPatternList() takes no exponential time', () => {
  const before = performance.now()
  expect(matchesPatternList([`${'*a'.repeat(30)}b`], 'a'.repeat(200))).toBe(false)
  expect(performance.now() - before).toBeLessThan(500)
})
