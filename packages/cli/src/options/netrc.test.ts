import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { netrcCredentials, parseNetrc } from './netrc.ts'

const text = `
# mine
machine data.example.org login me password p#1
machine other.example.org
  login you
  password "two words"
macdef init
  cd /pub

default login anonymous password guest
`

function netrcFile(mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'arriero-netrc-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, '.netrc')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

test('parseNetrc() reads machines, quotes, the default, and passes over comments and macros', () => {
  expect(parseNetrc(text)).toEqual([
    { machine: 'data.example.org', login: 'me', password: 'p#1' },
    { machine: 'other.example.org', login: 'you', password: 'two words' },
    { machine: undefined, login: 'anonymous', password: 'guest' },
  ])
})

test('netrcCredentials() answers only to origins that the person named: a redirect gets nothing', () => {
  const credentials = netrcCredentials({ NETRC: netrcFile() }, ['https://data.example.org/a'])
  expect(credentials({ origin: 'https://data.example.org', isRefresh: false })).toEqual({
    authorization: `Basic ${Buffer.from('me:p#1').toString('base64')}`,
  })
  expect(credentials({ origin: 'https://other.example.org', isRefresh: false })).toBeUndefined()
  expect(credentials({ origin: 'http://data.example.org', isRefresh: false })).toBeUndefined()
})

test('netrcCredentials() takes an origin with its port as the same one, also for FTP', () => {
  const credentials = netrcCredentials({ NETRC: netrcFile() }, [
    'https://data.example.org/a',
    'ftp://other.example.org/b',
    'ftps://other.example.org:2990/c',
  ])
  for (const [origin, isNamed] of [
    ['https://data.example.org:443', true],
    ['https://data.example.org:8443', false],
    ['ftp://other.example.org:21', true],
    ['ftp://other.example.org:2121', false],
    ['ftps://other.example.org:2990', true],
    ['ftps://other.example.org:990', false],
  ] as const) {
    expect(credentials({ origin, isRefresh: false }) !== undefined).toBe(isNamed)
  }
})

test('netrcCredentials() refuses a file that others can read', () => {
  expect(() => netrcCredentials({ NETRC: netrcFile(0o644) }, [])).toThrow(/can be read by others/)
})
