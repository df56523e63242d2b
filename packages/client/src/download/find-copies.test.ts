import type { Hooks } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { type Librarian, openLibrarian } from '../librarian.ts'
import { checksumOf, credentialsFor, urlsOf } from './entries.ts'
import { findCopies } from './find-copies.ts'

function librarian(name: string, answer: () => unknown[]): Librarian {
  const opened = openLibrarian({
    name,
    url: `https://${name}.example.org:8443/pre`,
    user: name,
    password: `pw-${name}`,
  })
  return { ...opened, api: { search: { file: async () => answer() } } } as unknown as Librarian
}

const file = (checksum: string, size = 3) => ({ name: 'a b/ö', checksum, size, kind: 'file', instances: [] })
const good = 'xxh3:::06b05ab6733a618578af5f94892f3950'

test('findCopies() takes every librarian that keeps the same content as a mirror', async () => {
  const found = await findCopies([librarian('a', () => [file(good)]), librarian('b', () => [file(good)])], 'a b/ö')
  expect(urlsOf(found)).toEqual([
    'https://a.example.org:8443/pre/api/v2/data/a%20b/%C3%B6',
    'https://b.example.org:8443/pre/api/v2/data/a%20b/%C3%B6',
  ])
  expect(checksumOf(found)).toEqual({ algorithm: 'xxh128', value: '06b05ab6733a618578af5f94892f3950' })
})

test('findCopies() passes over those that are away or do not have it, unless nobody has it', async () => {
  const away = librarian('away', () => {
    throw new Error('away')
  })
  const none = librarian('none', () => [])
  const found = await findCopies([away, none, librarian('b', () => [file(good)])], 'a b/ö')
  expect(found.holders.map(({ connection }) => connection.name)).toEqual(['b'])
  await expect(findCopies([none], 'x')).rejects.toMatchObject({ code: 'NotFound' })
  await expect(findCopies([none, away], 'x')).rejects.toThrow('away')
})

test('findCopies() refuses librarians that keep different content under one name', async () => {
  const both = [librarian('a', () => [file(good)]), librarian('b', () => [file('xxh3:::00')])]
  await expect(findCopies(both, 'a b/ö')).rejects.toMatchObject({ code: 'Conflict' })
})

test('credentialsFor() gives each login to its own origin and to no other', () => {
  const { credentials } = credentialsFor([librarian('a', () => []), librarian('b', () => [])]) as {
    credentials: Extract<Hooks['credentials'], (...given: never[]) => unknown>
  }
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  const asked = (origin: string) => credentials({ origin, isRefresh: false } as never)
  expect(asked('https://a.example.org:8443')).toEqual(basic('a:pw-a'))
  expect(asked('https://b.example.org:8443')).toEqual(basic('b:pw-b'))
  for (const other of ['https://a.example.org:443', 'http://a.example.org:8443', 'https://evil.example.org:8443']) {
    expect(asked(other)).toBeUndefined()
  }
})
