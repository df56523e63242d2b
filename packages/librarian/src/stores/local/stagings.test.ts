import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalPlace } from '../../../test/local-place.ts'
import type { Store } from '../store.ts'

let place: LocalPlace
let store: Store
beforeEach(async () => {
  place = await LocalPlace.make()
  store = await place.open()
})
afterEach(() => place[Symbol.asyncDispose]())

const inode = async (path: string) => (await stat(path)).ino
const spare = () => readdir(join(place.root, '.arriero/spare'))

test('the directory of an upload that ended serves another, with nothing in it', async () => {
  const [one, two] = [randomUUID(), randomUUID()]
  await store.openStaging(one, 'x')
  const before = await inode(join(place.staging, one))
  await mkdir(join(place.staging, one, 'x/deep'), { recursive: true })
  await writeFile(join(place.staging, one, 'x/deep/file'), 'theirs')
  await store.removeStaging(one)
  expect(await readdir(place.staging)).toEqual([])
  await store.openStaging(two, 'y')
  expect(await inode(join(place.staging, two))).toBe(before)
  expect(await readdir(join(place.staging, two))).toEqual([])
  expect(await spare()).toEqual([])
})

test('what somebody puts into a directory after its end is in nobody’s upload', async () => {
  const [one, two] = [randomUUID(), randomUUID()]
  await store.openStaging(one, 'x')
  await using held = await open(join(place.staging, one))
  await store.removeStaging(one)
  await writeFile(`/proc/self/fd/${held.fd}/late`, 'a foreign program')
  await store.openStaging(two, 'y')
  expect(await readdir(join(place.staging, two))).toEqual([])
})

test('a directory whose mode was changed is not used again', async () => {
  const [one, two] = [randomUUID(), randomUUID()]
  await store.openStaging(one, 'x')
  const fresh = (await stat(join(place.staging, one))).mode
  await using held = await open(join(place.staging, one))
  await held.chmod(0o777)
  await store.removeStaging(one)
  expect(await spare()).toEqual([])
  await store.openStaging(two, 'y')
  expect((await stat(join(place.staging, two))).mode).toBe(fresh)
})

test('a directory that others can write in serves nobody else: they may have stayed in it', async () => {
  await using shared = await LocalPlace.make()
  const open = await shared.open({ data: { group_write_after_stage: true } })
  const id = randomUUID()
  await open.openStaging(id, 'x')
  await open.removeStaging(id)
  expect(await readdir(join(shared.root, '.arriero/spare'))).toEqual([])
  expect(await readdir(shared.staging)).toEqual([])
})

test('spare directories that another process removed are made anew, and none outlives the store', async () => {
  const ids = Array.from({ length: 40 }, () => randomUUID())
  await Promise.all(ids.map(id => store.openStaging(id, 'x')))
  await Promise.all(ids.map(id => store.removeStaging(id)))
  expect(await spare()).toHaveLength(40)
  await rm(join(place.root, '.arriero/spare'), { recursive: true })
  const again = ids.map(() => randomUUID())
  await Promise.all(again.map(id => store.openStaging(id, 'x')))
  expect((await readdir(place.staging)).toSorted()).toEqual(again.toSorted())
  await Promise.all(again.map(id => store.removeStaging(id)))
  expect(await readdir(place.staging)).toEqual([])
  await store[Symbol.asyncDispose]()
  expect(await readdir(join(place.root, '.arriero'))).not.toContain('spare')
})

test('where that is asked for, it leads to where a sender makes the last directory alone, and what it puts there is taken', async () => {
  await using shared = await LocalPlace.make()
  const theirs = await shared.open({ data: { group_write_after_stage: true } })
  const id = randomUUID()
  const path = await theirs.openStaging(id, 'a/b/c/f', { leadsIn: true })
  expect(await theirs.openStaging(id, 'a/b/c/f', { leadsIn: true })).toBe(path)
  expect((await readdir(shared.staging, { recursive: true })).toSorted()).toEqual([id, `${id}/a`, `${id}/a/b`])
  expect((await stat(join(shared.staging, id, 'a/b'))).mode & 0o777).toBe(0o775)
  // As release 5.0.1: mode 0775, and no others.
  await mkdir(dirname(path), { mode: 0o775 })
  await writeFile(path, 'bytes')
  const origin = { from: 'staging', id, uploadName: 'a/b/c/f' } as const
  const [outcome] = await theirs.prepare([{ id: '1'.repeat(32), token: 1, origin, size: 5, checksum: undefined }])
  expect(outcome).toMatchObject({ ok: true, value: { kind: 'file', size: 5 } })
  for (const name of ['f', 'a/f']) await theirs.openStaging(randomUUID(), name, { leadsIn: true })
  expect(await readdir(shared.staging, { recursive: true })).toHaveLength(7)
})

test('opening a directory again keeps what was put into it', async () => {
  const [one, two] = [randomUUID(), randomUUID()]
  await store.openStaging(one, 'x')
  await store.removeStaging(one)
  await store.openStaging(two, 'x')
  await writeFile(join(place.staging, two, 'x'), 'bytes')
  await store.openStaging(two, 'x')
  expect(await readdir(join(place.staging, two))).toEqual(['x'])
})
