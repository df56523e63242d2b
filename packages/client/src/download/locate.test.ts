import { expect, test } from 'vitest'
import { type Librarian, openLibrarian } from '../librarian.ts'
import { checksumOf, urlsOf } from './entries.ts'
import { locate } from './locate.ts'

const sha256 = 'ab'.repeat(32)
const checksum = 'xxh3:::06b05ab6733a618578af5f94892f3950'
const listing = { kind: 'tree', checksum, members: [{ path: 'sub/ü', size: 3, sha256 }] }

/** Keeps a tree `kept/tree` and a file `kept/file`. */
function librarian(name: string, asked: string[] = []): Librarian {
  const opened = openLibrarian({ name, url: `https://${name}.example.org`, user: 'u', password: 'p' })
  const files = [
    { name: 'kept/tree', kind: 'tree', size: 3, checksum, instances: [] },
    { name: 'kept/file', kind: 'file', size: 3, checksum, instances: [] },
  ]
  const find = async ({ name }: { name: string }) => {
    asked.push(name)
    return files.filter(each => each.name === name)
  }
  return {
    ...opened,
    fetch: async () => Response.json(listing),
    api: { search: { file: find } },
  } as unknown as Librarian
}

test('locate() finds a file or tree by its own name without looking further', async () => {
  const asked: string[] = []
  expect((await locate([librarian('a', asked)], 'kept/tree')).file.kind).toBe('tree')
  expect(asked).toEqual(['kept/tree'])
})

test('locate() finds a member of a tree as a file, with its digest, at every librarian that keeps the tree', async () => {
  const found = await locate([librarian('a'), librarian('b')], 'kept/tree/sub/ü')
  expect(found.file).toMatchObject({ name: 'kept/tree/sub/ü', kind: 'file', size: 3 })
  expect(checksumOf(found)).toEqual({ algorithm: 'sha256', value: sha256 })
  expect(urlsOf(found)).toEqual([
    'https://a.example.org/api/v2/data/kept/tree/sub/%C3%BC',
    'https://b.example.org/api/v2/data/kept/tree/sub/%C3%BC',
  ])
})

test.each([
  ['kept/tree/sub/none', /kept\/tree is a tree, and has no file sub\/none/],
  ['kept/tree/sub', /no file sub/],
  ['kept/file/inside', /no file of this name/],
  ['none/at/all', /no file of this name/],
])('locate() says of %s what is there instead', async (name, why) => {
  const attempt = locate([librarian('a')], name)
  await expect(attempt).rejects.toMatchObject({ code: 'NotFound', message: expect.stringMatching(why) })
})
