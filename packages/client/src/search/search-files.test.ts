import { expect, test } from 'vitest'
import type { Librarian } from '../librarian.ts'
import { searchFiles, windowOf } from './search-files.ts'

interface Asked {
  readonly max_results?: number
  readonly after?: { readonly create_time: string; readonly name: string }
  readonly name?: string
  readonly name_glob?: string
  readonly size_window?: unknown
}

const file = (n: number) => ({
  name: `f${n}`,
  create_time: `2026-11-20T00:00:${String(59 - n).padStart(2, '0')}`,
  size: n,
  checksum: null,
  uploader: null,
  source: null,
  instances: [],
  remote_instances: [],
})

/** Keeps `total` files; an older one knows no pages. */
function librarianWith(total: number, isOld = false) {
  const asked: Asked[] = []
  const api = {
    search: {
      file: async (request: Asked) => {
        asked.push(request)
        const from = isOld || !request.after ? 0 : Number(request.after.name.slice(1)) + 1
        return Array.from({ length: total }, (_, n) => file(n)).slice(from, from + (request.max_results ?? 64))
      },
    },
  }
  return { asked, librarian: { api } as unknown as Librarian }
}

async function namesFrom(
  librarian: Librarian,
  ...rest: [Parameters<typeof searchFiles>[1], Parameters<typeof searchFiles>[2]]
) {
  const names: string[] = []
  for await (const { name } of searchFiles(librarian, ...rest)) names.push(name)
  return names
}

test('searchFiles() asks page after page until there is none', async () => {
  const { librarian, asked } = librarianWith(25)
  expect(await namesFrom(librarian, {}, { pageSize: 10 })).toEqual(Array.from({ length: 25 }, (_, n) => `f${n}`))
  expect(asked.map(({ after }) => after?.name)).toEqual([undefined, 'f9', 'f19', 'f24'])
})

test('searchFiles() asks for no more than the limit', async () => {
  const { librarian, asked } = librarianWith(25)
  expect(await namesFrom(librarian, {}, { pageSize: 10, limit: 12 })).toHaveLength(12)
  expect(asked.map(({ max_results }) => max_results)).toEqual([10, 2])
})

test('searchFiles() ends at a librarian that answers the same page for ever', async () => {
  const { librarian, asked } = librarianWith(10, true)
  expect(await namesFrom(librarian, {}, { pageSize: 10 })).toHaveLength(10)
  expect(asked).toHaveLength(2)
})

test('searchFiles() says patterns, windows and sizes in the words of the wire', async () => {
  const { librarian, asked } = librarianWith(0)
  await namesFrom(librarian, { name: 'a/*', minSize: 5 }, {})
  await namesFrom(librarian, { name: 'a/b' }, {})
  expect(asked[0]).toMatchObject({ name_glob: 'a/*', size_window: [5, null] })
  expect(asked[0]).not.toHaveProperty('name')
  expect(asked[1]).toMatchObject({ name: 'a/b', size_window: undefined })
})

test('searchFiles() asks for exactly this name where it is no pattern, whatever is in it', async () => {
  const { librarian, asked } = librarianWith(0)
  await namesFrom(librarian, { name: 'a*', isLiteral: true }, {})
  expect(asked[0]).toMatchObject({ name: 'a*' })
  expect(asked[0]).not.toHaveProperty('name_glob')
})

test('windowOf() leaves an end open that was not said', () => {
  expect(windowOf({})).toBeUndefined()
  expect(windowOf({ since: '2026-11-20T00:00:00.000000Z' })).toEqual([
    '2026-11-20T00:00:00.000000Z',
    '9999-12-31T23:59:59.999999Z',
  ])
})
