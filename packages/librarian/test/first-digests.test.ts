/** Files that came without a SHA-256 (reliability A7): their first good reading gives them one, in the catalogue and in the trails. */
import { expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { systemClock } from '../src/clock.ts'
import { rebuild } from '../src/services/recovery/rebuild.ts'
import type { MemoryStore } from '../src/stores/memory.ts'
import type { TrailRecord } from '../src/stores/store.ts'
import { catalogueOf, keep, memoryGround, openIntegrity } from './open-integrity.ts'
import { bytesOf } from './world.ts'

const undigested = { isUndigested: true }

async function digestOf(catalogue: Catalogue, name: string) {
  return (await catalogue.instances.ofFile({ name }))!.file.sha256
}

async function linesOf(store: MemoryStore): Promise<TrailRecord[]> {
  return await Array.fromAsync(store.readTrail())
}

test('A7: a scrub gives a file the digest that it has read, once, with a line on each store that has a copy', async () => {
  const ground = await memoryGround()
  const { catalogue, stores } = ground
  const { publication } = await keep(ground, 'a', bytesOf('abc'), undigested)
  const site = openIntegrity(ground)
  await site.scrubAll('main')
  expect(await digestOf(catalogue, 'a')).toBe(publication.sha256)
  for (const store of stores) {
    expect(await linesOf(store)).toMatchObject([{ action: 'commit', name: 'a', sha256: publication.sha256 }])
  }
  await site.scrubAll('main')
  await site.scrubAll('second')
  expect(await linesOf(stores[0]!)).toHaveLength(1)
  expect(await site.statesOf('a')).toEqual(['ok', 'ok'])
})

test('a single reading gives it too; of a tree with its canonical manifest', async () => {
  const ground = await memoryGround(['main'])
  const { publication, manifest } = await keep(ground, 'run', new Map([['x/y', bytesOf('abc')]]), undigested)
  const site = openIntegrity(ground)
  const { file, instances } = (await ground.catalogue.instances.ofFile({ name: 'run' }))!
  expect(await site.reader.read(file, instances[0]!)).toMatchObject({ state: 'ok' })
  expect(await digestOf(ground.catalogue, 'run')).toBe(publication.sha256)
  expect(await ground.catalogue.instances.treeOf({ name: 'run' })).toBe(manifest)
  expect(await linesOf(ground.stores[0]!)).toMatchObject([{ manifest }])
})

test('bytes that are not what their sender said give none, and what has one keeps it', async () => {
  const ground = await memoryGround()
  await keep(ground, 'a', bytesOf('abc'), undigested)
  ground.stores[0]!.damage('a', bytesOf('abd'))
  const site = openIntegrity(ground)
  await site.scrubAll('main')
  expect(await site.statesOf('a')).toEqual(['mismatch', 'ok'])
  expect(await digestOf(ground.catalogue, 'a')).toBeNull()
  const other = { name: 'a', manifest: undefined }
  await ground.catalogue.digests.finish({ files: [{ ...other, sha256: '1'.repeat(64) }] })
  await ground.catalogue.digests.finish({ files: [{ ...other, sha256: '2'.repeat(64) }] })
  expect(await digestOf(ground.catalogue, 'a')).toBe('1'.repeat(64))
})

test('where no trail could be told, the reading counts, and the next one tries again', async () => {
  const ground = await memoryGround(['main'])
  const { publication } = await keep(ground, 'a', bytesOf('abc'), undigested)
  const [main] = ground.stores
  const appendTrail = main!.appendTrail.bind(main)
  main!.appendTrail = async () => {
    throw new Error('the disk is full')
  }
  const site = openIntegrity(ground)
  expect(await site.scrubAll('main')).toMatchObject({ end: 'all', counts: { read: 1, bad: 0 } })
  expect(await digestOf(ground.catalogue, 'a')).toBeNull()
  main!.appendTrail = appendTrail
  await site.scrubAll('main')
  expect(await digestOf(ground.catalogue, 'a')).toBe(publication.sha256)
})

test('a rebuild knows it from one store, where the line of the other is of before', async () => {
  const ground = await memoryGround()
  const { publication, checksum } = await keep(ground, 'a', bytesOf('abc'), undigested)
  const { kind, size } = publication
  const before = { action: 'commit', order: 0, name: 'a', kind, size, checksum, sha256: null } as const
  const rest = { is_attested: true, uploader: 'ada', source: 'far', deletion_policy: 'DISALLOWED' } as const
  const time = '2026-01-01T00:00:00.000000Z' as TrailRecord['time']
  for (const store of ground.stores) await store.appendTrail([{ ...before, ...rest, time, create_time: time }])
  const [, second] = ground.stores
  const appendTrail = second!.appendTrail.bind(second)
  second!.appendTrail = async () => {
    throw new Error('the disk is full')
  }
  await openIntegrity(ground).scrubAll('main')
  second!.appendTrail = appendTrail
  // Whichever store is read first.
  for (const stores of [ground.stores, ground.stores.toReversed()]) {
    const catalogue = await catalogueOf(stores.map(({ name }) => name))
    const { stores: sites } = openIntegrity({ catalogue, stores })
    const report = await rebuild({ catalogue, stores: sites, clock: systemClock, directories: 'none' })
    expect(report).toMatchObject({ attested: 2, problems: [] })
    expect(await digestOf(catalogue, 'a')).toBe(publication.sha256)
  }
})
