/** What a catalogue is made of again (reliability G1): the order of a trail's lines, breaks of it, names that stand in each other's way. */
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { type RebuildOptions, rebuild } from '../src/services/recovery/rebuild.ts'
import { reconcile } from '../src/services/recovery/reconcile.ts'
import { replay } from '../src/services/recovery/replay.ts'
import type { TrailRecord } from '../src/stores/store.ts'
import { commitTo, LocalPlace } from './local-place.ts'
import { bytesOf, newGround, openWorld, type World, type WorldGround } from './world.ts'

const tree = new Map([
  ['a.txt', bytesOf('abc')],
  ['sub/b.txt', bytesOf('de')],
])

test.each<[string, readonly [TrailRecord['action'], number, string][], boolean]>([
  [
    'a restore by a clock that was set back',
    [
      ['trash', 2, later(2)],
      ['restore', 3, later(-9)],
    ],
    true,
  ],
  [
    'a trash by a clock that was set back',
    [
      ['trash', 2, later(2)],
      ['restore', 3, later(3)],
      ['trash', 4, later(-9)],
    ],
    false,
  ],
  [
    'a trash whose line a process that was taken for dead writes late',
    [
      ['restore', 3, later(3)],
      ['trash', 2, later(9)],
    ],
    true,
  ],
  [
    'a restore whose line comes late',
    [
      ['trash', 4, later(4)],
      ['restore', 3, later(9)],
    ],
    false,
  ],
  [
    'a trash that was taken back under its number',
    [
      ['trash', 2, later(2)],
      ['restore', 2, later(1)],
    ],
    true,
  ],
  [
    'the same, and the trash is written again',
    [
      ['restore', 2, later(1)],
      ['trash', 2, later(2)],
    ],
    true,
  ],
  [
    'a commit that recovery writes again',
    [
      ['trash', 2, later(2)],
      ['commit', 1, later(9)],
    ],
    false,
  ],
  [
    'a purge of older bytes',
    [
      ['trash', 2, later(2)],
      ['restore', 4, later(3)],
      ['purge', 3, later(4)],
    ],
    true,
  ],
])('G1: %s: neither its time nor its place in the trail decides', async (_, acts, isKept) => {
  const world = await openWorld()
  await world.upload('f', bytesOf('1'))
  const [commit] = await Array.fromAsync(world.store.readTrail())
  expect(commit!.order).toBe(1)
  for (const [action, order, time] of acts) await world.store.appendTrail([{ ...commit!, action, order, time }])
  if (!isKept) await world.store.trash('f', 'a'.repeat(32))
  const { catalogue } = await emptyGround()
  expect(await rebuilt(world, catalogue)).toEqual({ attested: isKept ? 1 : 0, unattested: 0, problems: [] })
  const { instances } = await catalogue.instances.all()
  expect(instances.map(({ available }) => available)).toEqual(isKept ? [1] : [])
  const older = await emptyGround()
  expect(await replay({ catalogue: older.catalogue, stores: world.stores })).toMatchObject({ added: isKept ? 1 : 0 })
})

test('G1: after a rebuild, or a replay, no number is given again', async () => {
  const world = await openWorld()
  for (const name of ['a', 'b', 'c']) await world.upload(name, bytesOf(name))
  // Not believed, and yet written: whoever mends the trail from a copy must not meet its numbers twice.
  world.store.trailBrokenAt = 2
  const ground = await emptyGround()
  await rebuilt(world, ground.catalogue)
  expect(await nextOrder(ground)).toBeGreaterThan(3)
  const older = await emptyGround()
  await replay({ catalogue: older.catalogue, stores: world.stores })
  expect(await nextOrder(older)).toBe(5)
  const next = await openWorld({ ground: { ...older, stores: world.ground.stores } })
  world.store.trailBrokenAt = undefined
  await next.upload('d', bytesOf('d'))
  expect((await Array.fromAsync(world.store.readTrail())).findLast(({ name }) => name === 'd')!.order).toBe(6)
})

test('G1: a broken trail is told and stops no rebuild: what it says behind the break is read, and nothing is lost', async () => {
  const world = await openWorld()
  await world.upload('before', bytesOf('1'))
  await world.upload('after/f', bytesOf('2'))
  await world.upload('after/tree', tree)
  await world.upload('after/empty', new Map())
  world.store.trailBrokenAt = 1
  const { catalogue } = await emptyGround()
  const report = await rebuilt(world, catalogue)
  expect(report).toEqual({
    attested: 1,
    unattested: 3,
    problems: [expect.stringMatching(/^main: the trail is broken at record 1: .*not believed$/)],
  })
  const { files, instances } = await catalogue.instances.all()
  expect(files.map(({ name, kind, is_attested, uploader }) => [name, kind, is_attested, uploader])).toEqual([
    ['after/empty', 'tree', 0, 'unknown'],
    ['after/f', 'file', 0, 'unknown'],
    ['after/tree', 'tree', 0, 'unknown'],
    ['before', 'file', 1, 'ada'],
  ])
  expect(instances.every(({ available }) => available === 1)).toBe(true)
  expect(await differences(world)).toEqual(['broken-trail record 1: it must name the one before it, it names another'])
})

test('8.17: what a trail says behind a break changes nothing', async () => {
  const world = await openWorld()
  for (const name of ['a', 'b']) await world.upload(name, bytesOf(name))
  const records = await Array.fromAsync(world.store.readTrail())
  await world.store.appendTrail(records.map(record => ({ ...record, action: 'trash', order: record.order + 2 })))
  for (const [index, name] of ['a', 'b'].entries()) await world.store.trash(name, String(index).repeat(32))
  world.store.trailBrokenAt = 3
  const before = await world.ground.catalogue.instances.all()
  const report = await replay({ catalogue: world.ground.catalogue, stores: world.stores })
  // Of the first the line is believed.
  expect(report).toEqual({ added: 0, removed: 1, problems: [expect.stringContaining('broken at record 3')] })
  const after = await world.ground.catalogue.instances.all()
  expect(after.files).toEqual(before.files)
  expect(after.instances.map(({ file_name }) => file_name)).toEqual(['b'])
})

test('A4: what was put away is known by its name after a rebuild, and no other content comes under it', async () => {
  const world = await openWorld()
  await world.upload('t', tree)
  await putAway(world, 't')
  const ground = await emptyGround()
  expect(await rebuilt(world, ground.catalogue)).toEqual({ attested: 0, unattested: 0, problems: [] })
  const { files, instances } = await ground.catalogue.instances.all()
  expect(files).toEqual((await world.ground.catalogue.instances.all()).files)
  expect(instances).toEqual([])
  const next = await openWorld({ ground: { ...ground, stores: world.ground.stores } })
  await expect(next.upload('t', bytesOf('other'))).rejects.toMatchObject({ code: 'FileExists' })
})

test.each(['none', 'leaf'] as const)(
  'a tree that was put away and lies there again is one tree, and its digest is proven (%s)',
  async directories => {
    const world = await openWorld()
    await world.upload('t', tree)
    await putAway(world, 't')
    world.store.damage('t', tree)
    const { catalogue } = await emptyGround()
    expect(await rebuilt(world, catalogue, directories)).toEqual({ attested: 1, unattested: 0, problems: [] })
    const { files, instances } = await catalogue.instances.all()
    expect(files).toEqual((await world.ground.catalogue.instances.all()).files)
    expect(instances).toMatchObject([{ file_name: 't', available: 1, state: 'ok' }])
    // What was found is in the trail now.
    const again = await emptyGround()
    expect(await rebuilt(world, again.catalogue, directories)).toMatchObject({ attested: 1, unattested: 0 })
  },
)

test.each(['none', 'leaf'] as const)(
  'strays where a tree was put away are told, and neither files nor another tree (%s)',
  async directories => {
    const world = await openWorld()
    await world.upload('run/t', tree)
    await putAway(world, 'run/t')
    world.store.damage('run/t', new Map([['x', bytesOf('stray')]]))
    world.store.damage('run/y', bytesOf('beside'))
    const { catalogue } = await emptyGround()
    const report = await rebuilt(world, catalogue, directories)
    expect(report).toEqual({
      attested: 0,
      unattested: 1,
      problems: [expect.stringContaining('run/t has other content')],
    })
    const { files } = await catalogue.instances.all()
    expect(files.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['run/t tree', 'run/y file'])
  },
)

test.each(['none', 'leaf'] as const)(
  'what is a tree on one store is one on another that knows nothing of it (%s)',
  async directories => {
    const ground = await newGround(['main', 'second'])
    const one = await openWorld({ ground: { ...ground, stores: [ground.stores[0]!] } })
    await one.upload('run/t', tree)
    await one.upload('f', bytesOf('1'), { checksum: 'md5:::c4ca4238a0b923820dcc509a6f75849b' })
    ground.stores[1]!.damage('run/t', tree)
    ground.stores[1]!.damage('f', bytesOf('1'))
    const world = await openWorld({ ground })
    const { catalogue } = await emptyGround()
    expect(await rebuilt(world, catalogue, directories)).toEqual({ attested: 4, unattested: 0, problems: [] })
    expect((await catalogue.instances.all()).files).toEqual((await ground.catalogue.instances.all()).files)
    // The second one's trail can now stand alone, with what the sender said.
    const alone = await openWorld({ ground: { ...ground, stores: [ground.stores[1]!] } })
    const again = await emptyGround()
    expect(await rebuilt(alone, again.catalogue, directories)).toMatchObject({ attested: 2, unattested: 0 })
    expect((await again.catalogue.instances.all()).files).toEqual((await ground.catalogue.instances.all()).files)
  },
)

test.each(['none', 'leaf'] as const)(
  'G1: a tree that was published before its line was written is one tree by its modes, an open directory is none (%s)',
  async directories => {
    await using place = await LocalPlace.make()
    const store = await place.open()
    await commitTo(store, 'run/t', tree)
    await commitTo(store, 'run/empty', new Map([['inside', null]]))
    // Killed between its name and its last mode.
    await commitTo(store, 'run/open', tree)
    await chmod(join(place.root, 'run/open'), 0o1700)
    await mkdir(join(place.root, 'loose/sub'), { recursive: true })
    for (const name of ['a', 'sub/b']) await writeFile(join(place.root, 'loose', name), name)
    const { catalogue } = await emptyGround()
    const site = { id: 1, name: 'main', store, ingestable: true, transferManagers: {} }
    const report = await rebuild({ catalogue, stores: { all: [site] }, clock: systemClock, directories })
    expect(report).toMatchObject({ attested: 0, problems: [] })
    const { files } = await catalogue.instances.all()
    const loose = directories === 'none' ? ['loose/a file', 'loose/sub/b file'] : ['loose/a file', 'loose/sub tree']
    expect((await store.stat('run/open'))?.kind).toBe('tree')
    expect((await stat(join(place.root, 'run/open'))).mode & 0o7777).toBe(0o550)
    expect(files.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      ...loose,
      ...['empty', 'open', 't'].map(name => `run/${name} tree`),
    ])
  },
)

test('G2: what a crash kept out of the list for coreutils is in it after a rebuild, once', async () => {
  await using place = await LocalPlace.make()
  const store = await place.open()
  const world = await openWorld()
  for (const name of ['a', 'b', 'c']) await world.upload(name, bytesOf(name))
  const records = await Array.fromAsync(world.store.readTrail())
  for (const { name } of records) await commitTo(store, name, bytesOf(name))
  await store.appendTrail(records)
  const list = join(place.root, '.arriero/SHA256SUMS')
  const whole = await readFile(list, 'utf8')
  const [first, second] = whole.split('\n')
  await writeFile(list, `${first}\n${second!.slice(0, 30)}`)
  const site = { id: 1, name: 'main', store, ingestable: true, transferManagers: {} }
  for (let round = 0; round < 2; round++) {
    const { catalogue } = await emptyGround()
    await rebuild({ catalogue, stores: { all: [site] }, clock: systemClock, directories: 'none' })
    const lines = (await readFile(list, 'utf8')).split('\n').filter(line => /^[0-9a-f]{64} {2}/.test(line))
    expect(lines.sort()).toEqual(whole.trimEnd().split('\n').sort())
  }
})

test('a directory is no leaf when something that was put away has its name in it', async () => {
  const world = await openWorld()
  await world.upload('run/f', bytesOf('1'))
  await putAway(world, 'run/f')
  world.store.damage('run/stray', bytesOf('2'))
  world.store.damage('other', new Map([['stray', bytesOf('3')]]))
  const { catalogue } = await emptyGround()
  expect(await rebuilt(world, catalogue, 'leaf')).toEqual({ attested: 0, unattested: 2, problems: [] })
  const { files } = await catalogue.instances.all()
  expect(files.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['other tree', 'run/f file', 'run/stray file'])
})

test('names of two stores that lie in each other end in a problem, not in the catalogue', async () => {
  const [one, two] = [await openWorld(), await openWorld()]
  for (const name of ['a', 'b/c', 'd']) await one.upload(name, bytesOf('1'))
  await two.upload('a/inside', bytesOf('2'))
  await two.upload('b', tree)
  await two.upload('d', bytesOf('1'))
  const ground = await emptyGround()
  const world = await openWorld({ ground: { ...ground, stores: [one.store, two.store] } })
  const { catalogue } = await emptyGround()
  const report = await rebuilt(world, catalogue, 'leaf')
  expect(report).toEqual({
    attested: 4,
    unattested: 0,
    problems: [
      expect.stringContaining('a/inside cannot be beside a'),
      expect.stringContaining('b cannot be beside b/c'),
    ],
  })
  const { files } = await catalogue.instances.all()
  expect(files.map(({ name }) => name)).toEqual(['a', 'b/c', 'd'])
})

test('register() holds names of one batch against each other too', async () => {
  const world = await openWorld()
  await world.upload('seed', bytesOf('1'))
  const [record] = await Array.fromAsync(world.store.readTrail())
  const { catalogue } = await emptyGround()
  const { stores } = await openWorld()
  const file = (name: string) => ({ ...record!, name, order: 1 })
  await stores.all[0]!.store.appendTrail(['x/y', 'x', 'x/y/z', 'xy', 'x/y'].map(file))
  const { problems } = await rebuild({ catalogue, stores, clock: systemClock, directories: 'none' })
  expect(problems.filter(problem => problem.includes('beside'))).toEqual([
    expect.stringContaining('x cannot be beside x/y'),
    expect.stringContaining('x/y/z cannot be beside x/y'),
  ])
  expect((await catalogue.instances.all()).files.map(({ name }) => name)).toEqual(['x/y', 'xy'])
})

function later(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 20) + seconds * 1000).toISOString().replace('Z', '000Z')
}

async function emptyGround(): Promise<WorldGround> {
  return await newGround(['main', 'second'])
}

async function rebuilt(world: World, catalogue: RebuildOptions['catalogue'], directories: 'none' | 'leaf' = 'none') {
  return await rebuild({ catalogue, stores: world.stores, clock: systemClock, directories })
}

async function nextOrder({ catalogue }: WorldGround): Promise<number> {
  const [order] = await catalogue.rebuilding.takeOrders({ count: 1 })
  return order!
}

async function putAway({ store }: World, name: string): Promise<void> {
  const commit = (await Array.fromAsync(store.readTrail())).find(record => record.name === name)!
  await store.trash(name, 'f'.repeat(32))
  await store.appendTrail([{ ...commit, action: 'trash', order: commit.order + 1 }])
}

async function differences({ stores, ground }: World): Promise<string[]> {
  const findings = await Promise.all(stores.all.map(site => reconcile(site, ground.catalogue)))
  return findings.flat().map(({ difference, what }) => `${difference} ${what}`)
}
