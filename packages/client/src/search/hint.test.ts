import { expect, test } from 'vitest'
import type { Librarian } from '../librarian.ts'
import { hintFor } from './hint.ts'

const files = [
  { name: 'many/a', kind: 'file' },
  { name: 'many/deep/b', kind: 'file' },
  { name: 'x/tree', kind: 'tree' },
].map(file => ({ ...file, create_time: '2026-11-20T22:03:37', instances: [] }))

const file = async ({ name, name_glob, after }: { name?: string; name_glob?: string; after?: unknown }) => {
  if (after !== undefined) return []
  const start = name_glob?.replace(/\*.*/, '') ?? ''
  return files.filter(each => (name === undefined ? each.name.startsWith(start) : each.name === name))
}
const librarian = { api: { search: { file } } } as unknown as Librarian

test.each([
  ['many', /'many\/\*\*' .* `arriero list many`/],
  ['many/', /'many\/\*\*'/],
  ['none/', /never ends with a slash; 'none\/\*\*'/],
  ['x/tree/', /name of a tree without the slash at its end: x\/tree/],
  ['x/tree/raw/*.fits', /x\/tree is a tree, and patterns stop at trees: `arriero list x\/tree\/raw`/],
  ['x/tree/*', /patterns stop at trees: `arriero list x\/tree`/],
])('hintFor(%s) says what was probably meant', async (name, hint) => {
  expect(await hintFor(librarian, name)).toMatch(hint)
})

test.each(['man', 'many/c', 'many/*.nc', 'man*', '/', ''])(
  'hintFor(%s) says nothing where nobody knows',
  async name => {
    expect(await hintFor(librarian, name)).toBeUndefined()
  },
)

test('hintFor() takes a wildcard that is meant as itself for no pattern', async () => {
  expect(await hintFor(librarian, 'x/tree/*', { isLiteral: true })).toBeUndefined()
})
