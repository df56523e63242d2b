import { expect, test } from 'vitest'
import { type Librarian, openLibrarian } from '../librarian.ts'
import { type Listed, listBelow } from './list-below.ts'

const checksum = 'xxh3:::06b05ab6733a618578af5f94892f3950'
const sha256 = 'e3'.repeat(32)
const files = [
  { name: '2026/run', kind: 'tree', size: 7 },
  { name: '2026/a.nc', kind: 'file', size: 1 },
  { name: '2026/raw/b.nc', kind: 'file', size: 2 },
  { name: '2026/raw/deep/c.nc', kind: 'file', size: 4 },
  { name: '2027*/d.nc', kind: 'file', size: 5 },
  { name: '20270/e.nc', kind: 'file', size: 6 },
  { name: 'top', kind: 'file', size: 3 },
].map(file => ({ ...file, checksum, create_time: '2026-11-20T22:03:37', instances: [] }))

const members = [
  { path: 'x', size: 3, sha256 },
  { path: 'sub/y', size: 4, sha256 },
]

function librarian(): Librarian {
  const opened = openLibrarian({ name: 'a', url: 'https://a.example.org', user: 'ada', password: 'pw' })
  const file = async ({ name, name_glob, after }: { name?: string; name_glob?: string; after?: unknown }) => {
    if (after !== undefined) return []
    if (name !== undefined) return files.filter(each => each.name === name)
    // As librarians do: a star for anything.
    const pattern = new RegExp(`^${(name_glob ?? '*').replaceAll(/[.]/g, '\\.').replaceAll(/\*+/g, '.*')}$`)
    return files.filter(each => pattern.test(each.name))
  }
  const listing = { kind: 'tree', checksum, members, directories: ['sub', 'empty'] }
  return { ...opened, fetch: async () => Response.json(listing), api: { search: { file } } } as unknown as Librarian
}

async function shown(path: string, isRecursive = false): Promise<string[]> {
  const listed: Listed[] = []
  for await (const each of listBelow(librarian(), path, { isRecursive })) listed.push(each)
  return listed.map(({ name, kind, size, files }) => `${name} ${kind} ${size}${files === undefined ? '' : ` ${files}`}`)
}

test('listBelow() shows one level by name, and directories with the sum of what lies below', async () => {
  expect(await shown('2026')).toEqual(['2026/a.nc file 1', '2026/raw directory 6 2', '2026/run tree 7'])
  expect(await shown('2026/raw/')).toEqual(['2026/raw/b.nc file 2', '2026/raw/deep directory 4 1'])
  expect(await shown('')).toEqual(['2026 directory 14 4', '2027* directory 5 1', '20270 directory 6 1', 'top file 3'])
})

test('listBelow() shows everything below, where that is asked for', async () => {
  expect(await shown('2026', true)).toEqual([
    '2026/a.nc file 1',
    '2026/raw/b.nc file 2',
    '2026/raw/deep/c.nc file 4',
    '2026/run tree 7',
  ])
  expect(await shown('2026/run', true)).toEqual([
    '2026/run/empty directory 0 0',
    '2026/run/sub/y file 4',
    '2026/run/x file 3',
  ])
})

test('listBelow() goes into a tree, into its directories, and shows a member alone', async () => {
  expect(await shown('2026/run')).toEqual([
    '2026/run/empty directory 0 0',
    '2026/run/sub directory 4 1',
    '2026/run/x file 3',
  ])
  expect(await shown('2026/run/sub')).toEqual(['2026/run/sub/y file 4'])
  expect(await shown('2026/run/x')).toEqual(['2026/run/x file 3'])
})

test('listBelow() takes a star in its path for itself', async () => {
  expect(await shown('2027*')).toEqual(['2027*/d.nc file 5'])
})

test('listBelow() says where there is nothing', async () => {
  for (const path of ['2028', '2026/run/none', '2026/ru', 'top/x']) {
    await expect(shown(path)).rejects.toMatchObject({ code: 'NotFound' })
  }
})
