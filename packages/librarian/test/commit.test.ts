import { expect, test } from 'vitest'
import type { MemoryStore } from '../src/stores/memory.ts'
import { ada, ben, bytesOf, newGround, openWorld } from './world.ts'

const code = (code: string) => expect.objectContaining({ code })

test('commit() keeps a file under its name, with its row, its copy, its proof and its line in the trail', async () => {
  const world = await openWorld()
  const id = await world.upload('night/1.fits', bytesOf('stars'))
  const { catalogue } = world.ground
  expect(await catalogue.uploads.get({ id })).toMatchObject({
    status: 'COMPLETED',
    transfer_manager_name: 'local',
    end_time: expect.any(String),
  })
  expect(await catalogue.intents.list()).toEqual([])
  expect(await world.store.stat('night/1.fits')).toMatchObject({ kind: 'file', size: 5 })
  const trail = await Array.fromAsync(world.store.readTrail())
  expect(trail).toMatchObject([{ action: 'commit', name: 'night/1.fits', size: 5, is_attested: true, source: 'ada' }])
  expect(await Array.fromAsync(world.store.works())).toEqual([])
  expect(await Array.fromAsync(world.store.stagings())).toEqual([])
})

test('commit() keeps a tree with the manifest of its members', async () => {
  const world = await openWorld()
  await world.upload(
    'run',
    new Map([
      ['a.txt', bytesOf('abc')],
      ['sub/b.txt', bytesOf('')],
    ]),
  )
  expect(await world.store.stat('run')).toMatchObject({ kind: 'tree' })
  const [record] = await Array.fromAsync(world.store.readTrail())
  expect(record).toMatchObject({ kind: 'tree', size: 3, checksum: 'xxh3:::e3fec79afcee50e38a726d256499600b' })
  expect(record?.manifest).toContain('sub/b.txt')
})

test('commit() again by its owner is success, by another user is refused', async () => {
  const world = await openWorld()
  const id = await world.upload('a', bytesOf('1'))
  expect(await world.commit(id)).toMatchObject({ outcome: 'same' })
  await expect(world.commit(id, ben)).rejects.toEqual(code('NotYours'))
})

test('commit() twice at once of one transfer has one end', async () => {
  const world = await openWorld()
  const id = await world.stage('a', bytesOf('1'))
  await Promise.all([world.commit(id), world.commit(id)])
  expect(await Array.fromAsync(world.store.readTrail())).toHaveLength(1)
})

test('commit() of bytes that are kept throws them away only where a copy of them is known to be good', async () => {
  const world = await openWorld()
  const { catalogue } = world.ground
  const [first, second] = [await world.stage('a', bytesOf('1')), await world.stage('a', bytesOf('1'), { caller: ben })]
  await world.commit(first)
  const { instances } = (await catalogue.instances.ofFile({ name: 'a' }))!
  const told = { medium: 'cache', sha256: null, size: null, checksum: null, fingerprint: null } as const
  const record = (outcome: 'missing' | 'ok') =>
    catalogue.readings.record({ by: 'test', readings: [{ instanceId: instances[0]!.id, outcome, ...told }] })
  await record('missing')
  await expect(world.commit(second, ben)).rejects.toEqual(code('StoreUnavailable'))
  expect(await catalogue.uploads.get({ id: second })).toMatchObject({ status: 'INITIATED' })
  expect(await Array.fromAsync(world.store.stagings())).toHaveLength(1)
  await record('ok')
  await world.commit(second, ben)
  expect(await Array.fromAsync(world.store.stagings())).toEqual([])
})

test('commit() of other bytes than announced fails the transfer, and nothing is left of them', async () => {
  const world = await openWorld()
  const id = await world.stage('a', bytesOf('1'), { bytes: bytesOf('2') })
  await expect(world.commit(id)).rejects.toEqual(code('Mismatch'))
  expect(await world.ground.catalogue.uploads.get({ id })).toMatchObject({ status: 'FAILED' })
  expect(await world.store.stat('a')).toBeUndefined()
  expect(await Array.fromAsync(world.store.stagings())).toEqual([])
  expect(await Array.fromAsync(world.store.works())).toEqual([])
  expect(await world.ground.catalogue.intents.list()).toEqual([])
  await world.upload('a', bytesOf('1'))
})

test('one bad upload among many at once fails alone', async () => {
  const world = await openWorld()
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      world.stage(`n${n}`, bytesOf(`${n}`), n === 7 ? { bytes: bytesOf('wrong') } : {}),
    ),
  )
  const ends = await Promise.allSettled(ids.map(id => world.commit(id)))
  expect(ends.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([7])
  expect(await Array.fromAsync(world.store.readTrail())).toHaveLength(19)
})

test('commits that are asked for together share their transactions', async () => {
  let writes = 0
  const world = await openWorld({
    wrapCatalogue: catalogue => ({
      ...catalogue,
      intents: {
        ...catalogue.intents,
        begin: args => {
          writes += 1
          return catalogue.intents.begin(args)
        },
      },
    }),
  })
  const ids = await Promise.all(Array.from({ length: 100 }, (_, n) => world.stage(`n${n}`, bytesOf(`${n}`))))
  await Promise.all(ids.map(id => world.commit(id)))
  expect(writes).toBeLessThanOrEqual(2)
})

test('a name in or above a kept one is refused when it is announced, and when it is committed', async () => {
  const world = await openWorld()
  const late = await world.stage('a/b', bytesOf('late'))
  const early = await world.stage('a/b/c', bytesOf('early'))
  await world.commit(early)
  await expect(world.commit(late)).rejects.toEqual(code('FileExists'))
  for (const name of ['a', 'a/b', 'a/b/c', 'a/b/c/d']) {
    await expect(world.stage(name, bytesOf('x'))).rejects.toEqual(code('FileExists'))
  }
  await world.upload('a/b0', bytesOf('a name that only sorts near'))
  await world.upload('a/b-', bytesOf('another'))
})

test('two nested names at once: one is kept, the other is told', async () => {
  const world = await openWorld()
  const ids = [await world.stage('x/y', bytesOf('1')), await world.stage('x/y/z', bytesOf('2'))]
  const ends = await Promise.allSettled(ids.map(id => world.commit(id)))
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await Array.fromAsync(world.store.readTrail())).toHaveLength(1)
})

test('trap 4: of two writers of one name one wins, and its bytes stay', async () => {
  const world = await openWorld()
  const first = await world.stage('a', bytesOf('first'))
  const second = await world.stage('a', bytesOf('second'), { caller: ben })
  const ends = await Promise.allSettled([world.commit(first), world.commit(second, ben)])
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(ends[1]).toMatchObject({ reason: { code: 'NameTaken' } })
  await expect(world.commit(second, ben)).rejects.toEqual(code('FileExists'))
  expect(await world.store.stat('a')).toMatchObject({ size: 5 })
})

test('A4: the same bytes under a kept name are success, and are kept once', async () => {
  const world = await openWorld()
  const mine = await world.stage('a', bytesOf('same'))
  const theirs = await world.stage('a', bytesOf('same'), { caller: ben })
  await world.commit(mine)
  expect(await world.commit(theirs, ben)).toMatchObject({ outcome: 'same' })
  expect(await world.ground.catalogue.uploads.get({ id: theirs })).toMatchObject({ status: 'COMPLETED' })
  expect(await Array.fromAsync(world.store.readTrail())).toHaveLength(1)
  expect(await Array.fromAsync(world.store.works())).toEqual([])
  expect(await Array.fromAsync(world.store.stagings())).toEqual([])
})

test('A4: other bytes of the same size under a kept name are refused', async () => {
  const world = await openWorld()
  const other = await world.stage('a', bytesOf('1235'), { caller: ben })
  await world.upload('a', bytesOf('1234'))
  await expect(world.commit(other, ben)).rejects.toEqual(code('FileExists'))
  expect(await world.ground.catalogue.uploads.get({ id: other })).toMatchObject({ status: 'FAILED' })
})

test('trap 10: equal content under two names at once is two files', async () => {
  const world = await openWorld()
  const ids = [await world.stage('a', bytesOf('equal')), await world.stage('b', bytesOf('equal'))]
  ids.push(await world.stage('c', bytesOf('equal'), { caller: ben }))
  await Promise.all([world.commit(ids[0]!), world.commit(ids[1]!), world.commit(ids[2]!, ben)])
  expect(await Array.fromAsync(world.store.readTrail())).toHaveLength(3)
})

test('announcing the same upload again replaces the first, with a new number', async () => {
  const world = await openWorld()
  const first = await world.stage('a', bytesOf('1'))
  const other = await world.stage('a', bytesOf('1'), { caller: ben })
  const second = await world.stage('a', bytesOf('1'))
  expect(second).not.toBe(first)
  await expect(world.commit(first)).rejects.toEqual(code('Conflict'))
  await world.commit(second)
  expect(await world.commit(other, ben)).toMatchObject({ outcome: 'same' })
})

test('stage() gives no room away twice', async () => {
  const ground = await newGround()
  const world = await openWorld({ ground })
  const state = await ground.stores[0]!.state()
  const free = state.available ? state.free : 0
  const announce = (name: string, size: number) =>
    world.uploads.stage({ size, checksum: `md5:::${'0'.repeat(32)}`, uploadName: name, name, uploader: 'ada' }, ada)
  await expect(announce('whole', free)).rejects.toEqual(code('NoStore'))
  await announce('half', free / 2)
  await expect(announce('other', free / 2)).rejects.toEqual(code('NoStore'))
  await announce('rest', free / 2 - 1)
  expect(world.alarms).toMatchObject([{ category: 'store_full' }, { category: 'store_full' }])
})

test('a disabled store takes nothing: neither announcements nor commits', async () => {
  const world = await openWorld()
  const id = await world.stage('a', bytesOf('1'))
  await world.ground.catalogue.stores.setEnabled({ name: 'main', enabled: false })
  await expect(world.stage('b', bytesOf('1'))).rejects.toMatchObject({
    code: 'NoStore',
    message: 'No stores available for upload. Your upload is too large.',
    remedy: expect.stringMatching(/^No store takes uploads now, .*switched off/),
  })
  expect(world.alarms).toMatchObject([
    {
      category: 'data_availability',
      message: expect.stringContaining('main is switched off (arriero stores enable main)'),
    },
  ])
  await expect(world.commit(id)).rejects.toEqual(code('Unacceptable'))
  expect(await world.ground.catalogue.uploads.get({ id })).toMatchObject({ status: 'FAILED' })
})

test('stage() tells stores that are closed from stores that are full', async () => {
  const world = await openWorld({ ground: await newGround(['main', 'second']) })
  const [main] = world.stores.all
  ;(main!.store as MemoryStore).unavailableBecause = 'unplugged'
  await expect(world.stage('a', bytesOf('1'))).resolves.toBeGreaterThan(0)
  await world.ground.catalogue.stores.setEnabled({ name: 'second', enabled: false })
  await expect(world.stage('b', bytesOf('1'))).rejects.toMatchObject({
    remedy: expect.stringContaining('switched off'),
  })
  expect(world.alarms.at(-1)).toMatchObject({
    message: expect.stringMatching(/main is not available: unplugged; second is switched off/),
  })
})

test('a store that is not there fails nothing: the same upload can be committed later', async () => {
  const world = await openWorld()
  const id = await world.stage('a', bytesOf('1'))
  world.store.unavailableBecause = 'unplugged'
  await expect(world.commit(id)).rejects.toEqual(code('StoreUnavailable'))
  world.store.unavailableBecause = undefined
  await world.commit(id)
})

test('abort() ends an upload and removes its bytes; a second time it is success; a completed one is refused', async () => {
  const world = await openWorld()
  const id = await world.stage('a', bytesOf('1'))
  await expect(world.uploads.abort(id, ben)).rejects.toEqual(code('NotYours'))
  expect(await world.uploads.abort(id, ada)).toMatchObject({ status: 'CANCELLED' })
  expect(await world.uploads.abort(id, ada)).toMatchObject({ status: 'CANCELLED' })
  expect(await Array.fromAsync(world.store.stagings())).toEqual([])
  const kept = await world.upload('b', bytesOf('1'))
  await expect(world.uploads.abort(kept, ada)).rejects.toEqual(code('Conflict'))
})
