/** Reading copies, deleting one, adding one that is there: over a catalogue and stores in memory. */
import { expect, test } from 'vitest'
import { silentLog } from '../src/log.ts'
import { createAddFile } from '../src/services/add-file.ts'
import { createCopyReader } from '../src/services/copies/read-copies.ts'
import { createDeletionGate } from '../src/services/deletion/gate.ts'
import { createInstanceAdmin } from '../src/services/instance-admin.ts'
import { createValidation } from '../src/services/validation.ts'
import { describeContent } from '../src/stores/memory-content.ts'
import { fallAt } from './fall.ts'
import { ada, bytesOf, newGround, openWorld, type WorldOptions } from './world.ts'

const code = (code: string) => expect.objectContaining({ code })

async function openCopies(options: WorldOptions = {}) {
  const ground = options.ground ?? (await newGround(['main', 'second', 'third']))
  const world = await openWorld({ ...options, ground })
  const catalogue = options.wrapCatalogue?.(ground.catalogue) ?? ground.catalogue
  const { stores } = world
  const alarms = { raise: async () => {} }
  const clock = { ...performance, now: () => performance.now(), wallNow: () => Date.now(), sleep: async () => {} }
  let reads = 0
  const counted = {
    ...stores,
    byId: (id: number) => {
      const site = stores.byId(id)
      if (!site) return undefined
      const store = new Proxy(site.store, {
        get(target, key) {
          const value = Reflect.get(target, key, target)
          if (key === 'examine') reads += 1
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      return { ...site, store }
    },
  }
  const reader = createCopyReader({ catalogue, stores: counted, alarms, by: 'here', atOnce: 2 })
  const validation = createValidation({ catalogue, stores, reader, clock, cacheMs: 60_000 })
  const presence = {
    holder: world.holder,
    gone: async (all: readonly string[]) => new Set(all.filter(one => options.dead?.has(one))),
  }
  const gate = createDeletionGate({ catalogue, stores, reader, presence, clock, log: silentLog })
  const admin = createInstanceAdmin({ catalogue, gate })
  const addFile = createAddFile({ catalogue, stores, commits: world.commits })

  /** Another copy, as a clone would make it. */
  async function copyTo(storeId: number, name: string): Promise<number> {
    const { instances } = (await ground.catalogue.instances.ofFile({ name }))!
    const source = ground.stores[instances[0]!.store_id - 1]!
    await using file = await source.open(name)
    const bytes = new Uint8Array(Buffer.concat(await Array.fromAsync(file.read(0, file.size))))
    ground.stores[storeId - 1]!.damage(name, bytes)
    const { id } = await ground.catalogue.instances.add({
      name,
      storeId,
      path: ground.stores[storeId - 1]!.pathOf(name),
    })
    return id
  }

  const copyOf = async (name: string, storeId = 1) =>
    (await ground.catalogue.instances.ofFile({ name }))!.instances.find(one => one.store_id === storeId)

  return { ...world, ground, catalogue, validation, gate, admin, addFile, copyTo, copyOf, reads: () => reads }
}

test('validate() answers from the cache while the file looks the same, and reads when it does not', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  expect(await world.validation.validate('a')).toMatchObject([{ isSame: true, size: 4, state: 'ok' }])
  expect(world.reads()).toBe(0)
  world.store.damage('a', bytesOf('evil'))
  expect(await world.validation.validate('a')).toMatchObject([{ isSame: false, state: 'mismatch' }])
  // A bad read is made twice before it is a verdict.
  expect(world.reads()).toBe(2)
})

test('a damaged copy is known by its instance, and no longer once a read is good again', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  world.store.damage('a', bytesOf('evil'))
  await world.validation.validate('a')
  expect(await world.ground.catalogue.instances.corrupt()).toMatchObject([{ file_name: 'a', count: 2 }])
  world.store.damage('a', bytesOf('good'))
  expect(await world.validation.validate('a')).toMatchObject([{ isSame: true }])
  expect(await world.ground.catalogue.instances.corrupt()).toEqual([])
})

test('what cannot be read is told, and is not what is missing; both are not ok', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.upload('b', bytesOf('good'))
  world.store.damage('a', bytesOf('good'))
  world.store.makeUnreadable('a')
  world.store.lose('b')
  expect(await world.validation.validate('a')).toMatchObject([{ state: 'unreadable', isSame: false, checksum: '' }])
  expect(await world.validation.validate('b')).toEqual([])
  expect(await world.copyOf('b')).toMatchObject({ state: 'missing' })
  await expect(world.validation.validate('c')).rejects.toEqual(code('NotFound'))
})

test('a copy on a store that is not there says nothing about the bytes', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  world.store.unavailableBecause = 'unplugged'
  expect(await world.validation.validate('a')).toEqual([])
  world.store.unavailableBecause = undefined
  expect(await world.validation.validate('a')).toMatchObject([{ isSame: true }])
})

test('B1: the last good copy is never deleted', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  const { id } = (await world.copyOf('a'))!
  await expect(world.admin.deleteLocal(id, { deletesFile: true }, ada)).rejects.toEqual(code('KeepsLastCopy'))
  expect(await world.store.stat('a')).toBeDefined()
  expect(await world.copyOf('a')).toMatchObject({ available: 1 })
})

test('B3: a bad copy among the others keeps this one, however many are good', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  await world.copyTo(3, 'a')
  world.ground.stores[2]!.damage('a', bytesOf('evil'))
  const { id } = (await world.copyOf('a'))!
  await expect(world.gate.remove({ instanceId: id, reason: 'test' })).rejects.toEqual(code('KeepsLastCopy'))
  world.ground.stores[2]!.damage('a', bytesOf('good'))
  world.ground.stores[2]!.makeUnreadable('a')
  await expect(world.gate.remove({ instanceId: id, reason: 'test' })).rejects.toEqual(code('KeepsLastCopy'))
  expect(await world.store.stat('a')).toBeDefined()
})

test('C1: a copy that was good an hour ago counts only as it is read now', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  const { id } = (await world.copyOf('a'))!
  await world.gate.remove({ instanceId: id, reason: 'test' })
  expect(world.reads()).toBe(1)
})

test('remove() moves the bytes to the trash, with its reason, its line in the trail, and the other copy kept', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  const { id } = (await world.copyOf('a'))!
  const deletion = await world.gate.remove({ instanceId: id, reason: 'test' })
  expect(await world.store.stat('a')).toBeUndefined()
  expect(await world.copyOf('a')).toBeUndefined()
  expect(await Array.fromAsync(world.store.removed())).toEqual([{ id: deletion.id, place: 'trash' }])
  expect((await Array.fromAsync(world.store.readTrail())).map(({ action }) => action)).toEqual(['commit', 'trash'])
  const other = (await world.copyOf('a', 2))!
  await expect(world.gate.remove({ instanceId: other.id, reason: 'test' })).rejects.toEqual(code('KeepsLastCopy'))
})

test('B6: two deletes at once, each with the other as its proof, leave one copy', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  const second = await world.copyTo(2, 'a')
  const { id } = (await world.copyOf('a'))!
  const ends = await Promise.allSettled([
    world.gate.remove({ instanceId: id, reason: 'test' }),
    world.gate.remove({ instanceId: second, reason: 'test' }),
  ])
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect((await world.ground.catalogue.instances.ofFile({ name: 'a' }))!.instances).toHaveLength(1)
})

test('a delete that is killed at any call keeps a copy for every row, and can be asked for again', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at += 1) {
      const setUp = await openCopies()
      await setUp.upload('a', bytesOf('good'))
      await setUp.copyTo(2, 'a')
      const { id } = (await setUp.copyOf('a'))!
      const fall = fallAt({ at, how: 'kill', when })
      const { ground } = setUp
      const dying = await openCopies({ ground, wrapCatalogue: fall.wrapCatalogue, wrapStore: fall.wrapStore })
      await Promise.race([dying.gate.remove({ instanceId: id, reason: 'test' }), fall.died])
      if (fall.fallen() === undefined) break
      const next = await openCopies({ ground, dead: new Set([dying.holder]) })
      await next.gate.recover()
      const copy = await next.copyOf('a')
      const where = `${when} ${fall.fallen()}`
      expect(copy?.available ?? 'gone', where).toBe((await next.store.stat('a')) ? 1 : 'gone')
      if (copy) await next.gate.remove({ instanceId: id, reason: 'again' })
      expect(await next.copyOf('a'), where).toBeUndefined()
      expect(await next.ground.stores[1]!.stat('a'), where).toBeDefined()
    }
  }
})

test('without its bytes a copy is only taken out of use: the row goes on naming them', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  const { id } = (await world.copyOf('a'))!
  await world.admin.deleteLocal(id, { deletesFile: false }, ada)
  expect(await world.copyOf('a')).toMatchObject({ available: 0 })
  expect(await world.store.stat('a')).toBeDefined()
  await expect(world.admin.deleteLocal(999, { deletesFile: false }, ada)).rejects.toEqual(code('NotFound'))
})

test('add_file registers what lies in its place, once it was read and compared', async () => {
  const world = await openCopies()
  const content = bytesOf('found')
  const { size, checksum } = await describeContent(content, undefined)
  const request = {
    name: 'old/f',
    createTime: '2020-01-01T00:00:00.000000Z',
    size,
    checksum,
    uploader: 'u',
    source: 's',
    path: world.store.pathOf('old/f'),
    storeName: 'main',
  }
  await expect(world.addFile(request)).rejects.toEqual(code('StagedNotFound'))
  world.store.damage('old/f', content)
  await expect(world.addFile({ ...request, size: 4 })).rejects.toEqual(code('Mismatch'))
  await expect(world.addFile({ ...request, path: '/etc/passwd' })).rejects.toEqual(code('StagedNotFound'))
  await expect(world.addFile({ ...request, storeName: 'none' })).rejects.toEqual(code('UnknownStore'))
  expect(await world.addFile(request)).toBe('added')
  expect(await world.addFile(request)).toBe('already-exists')
  const { file } = (await world.ground.catalogue.instances.ofFile({ name: 'old/f' }))!
  expect(file).toMatchObject({ create_time: request.createTime, uploader: 'u', source: 's', is_attested: 1 })
  expect(await Array.fromAsync(world.store.readTrail())).toMatchObject([
    { name: 'old/f', create_time: request.createTime },
  ])
})
