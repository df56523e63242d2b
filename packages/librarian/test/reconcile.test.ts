/** What a catalogue and its stores say of each other, and a catalogue made again from its stores. */
import { expect, test } from 'vitest'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import { systemClock } from '../src/clock.ts'
import { rebuild } from '../src/services/recovery/rebuild.ts'
import { reconcile } from '../src/services/recovery/reconcile.ts'
import { replay } from '../src/services/recovery/replay.ts'
import type { TrailRecord } from '../src/stores/store.ts'
import { bytesOf, newGround, openWorld, type World } from './world.ts'

const tree = new Map([
  ['a.txt', bytesOf('abc')],
  ['sub/b.txt', bytesOf('de')],
])

async function differences({ stores, ground }: World): Promise<string[]> {
  const findings = await Promise.all(stores.all.map(site => reconcile(site, ground.catalogue)))
  return findings.flat().map(({ difference, what }) => `${difference} ${what}`)
}

test('reconcile() says nothing about a store that is as the catalogue says', async () => {
  const world = await openWorld()
  await world.upload('a/f', bytesOf('1'))
  await world.upload('a/tree', tree)
  await world.upload('empty', new Map())
  await world.stage('open', bytesOf('on its way'))
  expect(await differences(world)).toEqual([])
})

test('reconcile() names every kind of difference, with its next step, and changes nothing', async () => {
  const world = await openWorld()
  for (const name of ['lost', 'short', 'kind', 'out', 'fine']) await world.upload(name, bytesOf(name))
  await world.upload('tree', tree)
  world.store.lose('lost')
  world.store.damage('short', bytesOf('s'))
  world.store.damage('kind', tree)
  world.store.damage('tree/a.txt', bytesOf('abcd'))
  world.store.damage('strange/f', bytesOf('who?'))
  await world.store.openStaging('0f8fad5b-d9cb-469f-a165-70867728950e', 'x')
  const out = (await world.ground.catalogue.instances.ofFile({ name: 'out' }))!.instances[0]!
  await world.ground.catalogue.deletions.withdraw({ instanceId: out.id })
  const found = await differences(world)
  expect(found.sort()).toEqual([
    'bytes-without-row strange/f',
    'row-without-bytes lost',
    'unknown-work staging 0f8fad5b-d9cb-469f-a165-70867728950e',
    'withdrawn out',
    'wrong-kind kind',
    'wrong-size short',
    'wrong-size tree',
  ])
  expect((await differences(world)).sort()).toEqual(found)
})

test('B4: of a store whose disk is away nothing is said to be missing', async () => {
  const world = await openWorld()
  await world.upload('a', bytesOf('1'))
  world.store.unavailableBecause = 'unplugged'
  expect(await differences(world)).toEqual(['store-unavailable unplugged'])
})

test('G1: a catalogue is made again from its stores, with the senders’ digests', async () => {
  const ground = await newGround(['main', 'second'])
  const world = await openWorld({ ground })
  await world.upload('a/f', bytesOf('1'), { checksum: 'md5:::c4ca4238a0b923820dcc509a6f75849b' })
  await world.upload('a/tree', tree)
  await world.upload('gone', bytesOf('2'))
  world.store.lose('gone')
  const before = await ground.catalogue.instances.all()
  const empty = await emptyCatalogue()
  const report = await rebuild({ catalogue: empty, stores: world.stores, clock: systemClock, directories: 'none' })
  expect(report).toEqual({ attested: 3, unattested: 0, problems: [expect.stringContaining('gone')] })
  const after = await empty.instances.all()
  expect(after.files).toEqual(before.files)
  expect(after.instances.map(({ file_name, available, state }) => [file_name, available, state])).toEqual([
    ['a/f', 1, 'never-checked'],
    ['a/tree', 1, 'never-checked'],
    ['gone', 0, 'missing'],
  ])
  expect(await empty.instances.treeOf({ name: 'a/tree' })).toBe(
    await ground.catalogue.instances.treeOf({ name: 'a/tree' }),
  )
})

test('rebuild() reads what no trail knows, and calls it unattested', async () => {
  const world = await openWorld()
  for (const name of ['run/1/x', 'run/z', 'top']) world.store.damage(name, bytesOf(name))
  await world.upload('known/f', bytesOf('1'))
  world.store.damage('known/g', bytesOf('2'))
  const catalogue = await emptyCatalogue()
  const options = { stores: world.stores, clock: systemClock, directories: 'none' } as const
  expect(await rebuild({ ...options, catalogue })).toEqual({ attested: 1, unattested: 4, problems: [] })
  const { files } = await catalogue.instances.all()
  const shown = files.map(({ name, kind, is_attested, source }) => `${name} ${kind} ${is_attested} ${source}`)
  const unknown = ['known/g file 0 unknown', 'run/1/x file 0 unknown', 'run/z file 0 unknown', 'top file 0 unknown']
  expect(shown).toEqual(['known/f file 1 ada', ...unknown])
  // What was found is in the trail now.
  const again = await emptyCatalogue()
  expect(await rebuild({ ...options, catalogue: again })).toMatchObject({ attested: 5, unattested: 0 })
  expect((await again.instances.all()).files).toEqual(files)
})

test('rebuild() refuses a catalogue with files, and a store that is away', async () => {
  const world = await openWorld()
  await world.upload('a', bytesOf('1'))
  const options = { stores: world.stores, clock: systemClock, directories: 'none' } as const
  await expect(rebuild({ ...options, catalogue: world.ground.catalogue })).rejects.toMatchObject({ code: 'Conflict' })
  world.store.unavailableBecause = 'unplugged'
  const catalogue = await emptyCatalogue()
  await expect(rebuild({ ...options, catalogue })).rejects.toMatchObject({ code: 'StoreUnavailable' })
})

test('rebuild() keeps what the first store says, and tells what another says differently', async () => {
  const ground = await newGround(['main', 'second'])
  const one = await openWorld({ ground: { ...ground, stores: [ground.stores[0]!] } })
  await one.upload('a', bytesOf('1'))
  ground.stores[1]!.damage('a', bytesOf('2'))
  const world = await openWorld({ ground })
  const catalogue = await emptyCatalogue()
  const report = await rebuild({ catalogue, stores: world.stores, clock: systemClock, directories: 'none' })
  expect(report.problems).toEqual([expect.stringContaining('second: a has other content')])
  expect((await catalogue.instances.all()).instances).toHaveLength(1)
})

test('8.17: a catalogue that is older than its stores takes over what they kept and put away since', async () => {
  const ground = await newGround(['main', 'second'])
  const world = await openWorld({ ground })
  await world.upload('after/f', bytesOf('1'))
  await world.upload('after/tree', tree)
  await world.upload('after/lost', bytesOf('2'))
  world.store.lose('after/lost')
  const older = await emptyCatalogue()
  const report = await replay({ catalogue: older, stores: world.stores })
  expect(report).toEqual({ added: 3, removed: 0, problems: [expect.stringContaining('after/lost')] })
  expect((await older.instances.all()).instances).toHaveLength(3)
  expect(await replay({ catalogue: older, stores: world.stores })).toEqual({ added: 0, removed: 0, problems: [] })

  const trail: TrailRecord[] = []
  for await (const record of world.store.readTrail()) trail.push(record)
  const order = trail.length + 1
  const of = (name: string) => ({ ...trail.find(record => record.name === name)!, order, action: 'trash' as const })
  // One was put away, of the other the line says so and its bytes are there: that is not believed.
  world.store.lose('after/f')
  await world.store.appendTrail([of('after/f'), of('after/tree')])
  expect(await replay({ catalogue: older, stores: world.stores })).toMatchObject({ removed: 1 })
  const { instances } = await older.instances.all()
  expect(instances.map(({ file_name }) => file_name).sort()).toEqual(['after/lost', 'after/tree'])
  const still = await older.instances.ofFile({ name: 'after/f' })
  expect(still).toMatchObject({ file: { name: 'after/f' }, instances: [] })
})

test('8.17: what the catalogue says of a file is not changed by a trail that says something else', async () => {
  const ground = await newGround(['main', 'second'])
  const world = await openWorld({ ground })
  await world.upload('f', bytesOf('1'))
  const other = await openWorld({ ground: { ...(await newGround(['main', 'second'])) } })
  await other.upload('f', bytesOf('other'))
  const { added, problems } = await replay({
    catalogue: world.ground.catalogue,
    stores: { all: [{ ...other.stores.all[0]!, id: world.stores.all[1]!.id, name: 'second' }] },
  })
  expect({ added, problems }).toEqual({ added: 0, problems: [expect.stringContaining('other content')] })
})

async function emptyCatalogue() {
  const catalogue = await openMemoryCatalogue()
  const stores = ['main', 'second'].map(name => ({
    name,
    ingestable: true,
    type: 'local',
    data: {},
    transferManagers: {},
  }))
  await catalogue.stores.synchronise({ stores })
  return catalogue
}
