/** What a process that was killed in the middle of a removal or a restore has left, to be gone on with. */
import { randomBytes } from 'node:crypto'
import { chmod, link, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitTo, LocalPlace } from '../../../test/local-place.ts'

const tree = new Map([['empty', null]])

test('restore() closes a tree that was moved, or opened to be moved, by who was killed', async () => {
  await using place = await LocalPlace.make()
  const store = await place.open()
  await commitTo(store, 'd/tree', tree)
  const path = join(place.root, 'd/tree')
  const { mode } = await stat(path)
  const id = randomBytes(16).toString('hex')

  await chmod(path, 0o700)
  await store.restore('d/tree', id)
  expect([(await stat(path)).mode, await store.stat('d/tree')]).toEqual([
    mode,
    expect.objectContaining({ kind: 'tree' }),
  ])

  await store.trash('d/tree', id)
  await commitTo(store, 'd/other', new Uint8Array(1))
  await rename(join(place.root, '.arriero/trash', id), path)
  await store.restore('d/tree', id)
  expect([(await stat(path)).mode, await store.stat('d/tree')]).toEqual([
    mode,
    expect.objectContaining({ kind: 'tree' }),
  ])
})

test('restore() takes the second name of a file from the trash', async () => {
  await using place = await LocalPlace.make()
  const store = await place.open()
  await commitTo(store, 'file', new Uint8Array(1))
  const id = randomBytes(16).toString('hex')
  await link(join(place.root, 'file'), join(place.root, '.arriero/trash', id))
  await store.restore('file', id)
  expect(await readdir(join(place.root, '.arriero/trash'))).toEqual([])
  expect(await store.stat('file')).toMatchObject({ kind: 'file', size: 1 })
})
