import type { ExistingFile } from '@arriero/api'
import { expect, test } from 'vitest'
import { type Librarian, openLibrarian } from '../librarian.ts'
import { isKept } from './is-kept.ts'

const wanted = { name: 'a', checksum: 'xxh3:::06b05ab6733a618578af5f94892f3950', size: 3 }
const options = { signal: new AbortController().signal }
const noCall = () => Promise.reject(new Error('nobody may be asked'))

function librarian(answers: { search?: () => Promise<unknown>; validate?: () => Promise<unknown> } = {}): Librarian {
  const opened = openLibrarian({ name: 'site', url: 'https://site.example.org', user: 'ada', password: 'pw' })
  const { search = noCall, validate = noCall } = answers
  return { ...opened, api: { search: { file: search }, validate: { file: validate } } } as unknown as Librarian
}

function existing(copies: ExistingFile['copies'], more: Partial<ExistingFile> = {}): ExistingFile {
  return { kind: 'file', ...wanted, copies, elsewhere: [], ...more }
}

const copy = (state: string, store = 'disk1') => ({ store, state })

test('isKept() is true for one good copy within reach, and asks nobody', async () => {
  expect(await isKept(librarian(), wanted, existing([copy('mismatch'), copy('ok', 'disk2')]), options)).toBe(true)
})

test('isKept() is false for other content, other sizes and names above or below', async () => {
  for (const other of [{ checksum: 'md5:::0' }, { size: 4 }, { name: 'a/b' }])
    expect(await isKept(librarian(), wanted, existing([copy('ok')], other), options)).toBe(false)
})

test.each(['mismatch', 'missing', 'unreadable', 'withdrawn', 'disabled'])(
  'isKept() never calls a file kept whose only copy is %s',
  async state => {
    await expect(isKept(librarian(), wanted, existing([copy(state)]), options)).rejects.toMatchObject({
      code: 'NoGoodCopy',
      message: expect.stringContaining('the one on disk1 is '),
      remedy: expect.stringContaining('Keep your own copy'),
    })
  },
)

test('isKept() says of every copy what is wrong, and since when', async () => {
  const since = '2026-11-20T22:03:37.619866'
  const told = existing([{ ...copy('mismatch'), since }, copy('missing', 'disk2')], { elsewhere: ['archive'] })
  await expect(isKept(librarian(), wanted, told, options)).rejects.toThrow(
    'the one on disk1 is damaged since 2026-11-20 22:03:37 UTC; the one on disk2 is missing; archive is known to have one',
  )
})

test('isKept() takes a disk that is not there for something that may be better later', async () => {
  await expect(isKept(librarian(), wanted, existing([copy('unavailable')]), options)).rejects.toMatchObject({
    code: 'StoreUnavailable',
    remedy: expect.stringContaining('when the disk of that store is back'),
  })
})

test('isKept() has a copy read that nobody has read yet', async () => {
  const read = (computed_same_checksum: boolean) => async () => [
    { computed_same_checksum, original_checksum: wanted.checksum },
  ]
  const told = existing([copy('never-checked')])
  expect(await isKept(librarian({ validate: read(true) }), wanted, told, options)).toBe(true)
  await expect(isKept(librarian({ validate: read(false) }), wanted, told, options)).rejects.toMatchObject({
    code: 'NoGoodCopy',
  })
})

test('isKept() counts what others hold where no copy here is known to be bad', async () => {
  const elsewhere = ['archive']
  expect(await isKept(librarian(), wanted, existing([], { elsewhere }), options)).toBe(true)
  expect(await isKept(librarian(), wanted, existing([copy('withdrawn')], { elsewhere }), options)).toBe(true)
  await expect(isKept(librarian(), wanted, existing([copy('mismatch')], { elsewhere }), options)).rejects.toMatchObject(
    {
      code: 'NoGoodCopy',
    },
  )
})

test('isKept() asks an older librarian, and believes what it calls available', async () => {
  const found = (available: boolean, state?: string) => async () => [
    { ...wanted, instances: [{ path: '/disk1/a', available, state }], remote_instances: [] },
  ]
  expect(await isKept(librarian({ search: found(true) }), wanted, undefined, options)).toBe(true)
  for (const search of [found(false), found(true, 'mismatch')]) {
    await expect(isKept(librarian({ search }), wanted, undefined, options)).rejects.toMatchObject({
      code: 'NoGoodCopy',
    })
  }
  expect(await isKept(librarian({ search: async () => [] }), wanted, undefined, options)).toBe(false)
})
