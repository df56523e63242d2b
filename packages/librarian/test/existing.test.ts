/** What is told of a name that is taken: whether its copies can be relied on. */
import type { ExistingFile, LibrarianError } from '@arriero/api'
import { expect, test } from 'vitest'
import { createSearch } from '../src/services/search.ts'
import { openCopies } from './open-copies.ts'
import { bytesOf } from './world.ts'

type CopiesWorld = Awaited<ReturnType<typeof openCopies>>

async function toldOf(world: CopiesWorld, name: string): Promise<ExistingFile> {
  const error: LibrarianError = await world.stage(name, bytesOf('good')).then(
    () => expect.unreachable(),
    thrown => thrown,
  )
  expect(error.code).toBe('FileExists')
  return error.fields.existing as ExistingFile
}

test('a refused name is told with its content and a good copy', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  const { checksum } = (await world.catalogue.instances.ofFile({ name: 'a' }))!.file
  expect(await toldOf(world, 'a')).toEqual({
    name: 'a',
    kind: 'file',
    size: 4,
    checksum,
    copies: [{ store: 'main', state: 'ok', since: undefined }],
    elsewhere: [],
  })
})

test('a damaged copy is told with the time from which on it was found so; good again, it is ok again', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  world.store.damage('a', bytesOf('evil'))
  await world.validation.validate('a')
  const [first] = (await toldOf(world, 'a')).copies
  expect(first).toMatchObject({ state: 'mismatch', since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) })
  world.store.damage('a', bytesOf('live'))
  await world.validation.validate('a')
  expect((await toldOf(world, 'a')).copies).toEqual([first])
  world.store.damage('a', bytesOf('good'))
  await world.validation.validate('a')
  expect((await toldOf(world, 'a')).copies).toEqual([{ store: 'main', state: 'ok', since: undefined }])
})

test('a disk that is not there, a store that is switched off and a copy out of use are told; bad bytes come first', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  const states = async () => (await toldOf(world, 'a')).copies.map(({ state }) => state)
  expect(await states()).toEqual(['ok', 'never-checked'])
  const [main, second] = world.ground.stores
  second!.unavailableBecause = 'unplugged'
  expect(await states()).toEqual(['ok', 'unavailable'])
  second!.unavailableBecause = undefined
  await world.catalogue.stores.setEnabled({ name: 'second', enabled: false })
  expect(await states()).toEqual(['ok', 'disabled'])
  main!.lose('a')
  await world.validation.validate('a')
  main!.unavailableBecause = 'unplugged'
  await world.catalogue.stores.setEnabled({ name: 'second', enabled: true })
  expect(await states()).toEqual(['missing', 'ok'])
})

test('a name inside a tree that is kept is told with the tree', async () => {
  const world = await openCopies()
  await world.upload('run', new Map([['a.txt', bytesOf('x')]]))
  expect(await toldOf(world, 'run/new')).toMatchObject({ name: 'run', kind: 'tree', copies: [{ state: 'ok' }] })
})

test('a search tells of every copy what was found and since when, and of a good one when it was read last', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.validation.validate('a')
  const search = createSearch({ catalogue: world.catalogue, maxResults: 64 })
  const copy = async () => (await search.files({ name: 'a', max_results: 1 } as never))[0]?.instances[0]
  expect(await copy()).toMatchObject({ state: 'ok', state_time: expect.stringMatching(/^\d{4}-/) })
  world.store.damage('a', bytesOf('evil'))
  await world.validation.validate('a')
  const [told] = (await toldOf(world, 'a')).copies
  expect(await copy()).toMatchObject({ available: true, state: 'mismatch', state_time: `${told?.since}Z` })
})
