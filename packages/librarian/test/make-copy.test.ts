/** Copies from store to store (librarian 11.3, 12.2): over a catalogue and stores in memory. */
import { describe, expect, test } from 'vitest'
import type { File, Instance } from '../src/catalogue/operations/instances.ts'
import { silentLog } from '../src/log.ts'
import { createLocalClones, type LocalCloneRequest } from '../src/services/local-clones/local-clones.ts'
import { sweep } from '../src/services/recovery/sweep.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import type { MemoryContent } from '../src/stores/memory-content.ts'
import { fallAt } from './fall.ts'
import { openCopies } from './open-copies.ts'
import { bytesOf, newGround } from './world.ts'

const code = (code: string) => expect.objectContaining({ code })
type World = Awaited<ReturnType<typeof openCopies>>

const tree: MemoryContent = new Map<string, Uint8Array | null>([
  ['deep', null],
  ['deep/one', bytesOf('1')],
  ['two', bytesOf('22')],
])

async function openWith(content: MemoryContent, options: Parameters<typeof openCopies>[0] = {}) {
  const world = await openCopies(options)
  await world.upload('d/a', content)
  return { ...world, ...(await copied(world)) }
}

async function copied({ ground, copyOf }: World, name = 'd/a'): Promise<{ file: File; from: Instance }> {
  const { file } = (await ground.catalogue.instances.ofFile({ name }))!
  return { file, from: (await copyOf(name))! }
}

describe('make()', () => {
  test.each([
    ['a file', bytesOf('some bytes')],
    ['an empty file', bytesOf('')],
  ])(
    'brings %s to another store, with its row, its line in the trail, its proof and its clone transfer',
    async (_, content) => {
      const world = await openWith(content)
      const { maker, ground, file, from } = world
      const made = await maker.make({ file, from, to: world.stores.byName('second')! })
      const copy = (await world.copyOf('d/a', 2))!
      expect(copy).toMatchObject({
        id: made.instanceId,
        state: 'ok',
        available: 1,
        deletion_policy: from.deletion_policy,
      })
      expect(await ground.catalogue.clones.get({ id: made.id })).toMatchObject({
        status: 'COMPLETED',
        source_instance_id: from.id,
        destination_instance_id: copy.id,
        reason: null,
        end_time: expect.any(String),
      })
      const [line] = await Array.fromAsync(ground.stores[1]!.readTrail())
      const { name, size, checksum, sha256, create_time } = file
      expect(line).toMatchObject({ action: 'commit', name, size, checksum, sha256, create_time, is_attested: true })
      expect(await Array.fromAsync(ground.stores[1]!.spools())).toEqual([])
      expect(await Array.fromAsync(ground.stores[1]!.works())).toEqual([])
      // As what was uploaded: nothing of the file itself has changed.
      expect((await ground.catalogue.instances.ofFile({ name }))!.file).toEqual(file)
    },
  )

  test('copies neither what is bad nor to where one is, and reads again what turned out to be bad', async () => {
    const world = await openWith(bytesOf('some bytes'))
    const { maker, file, from, ground } = world
    const to = world.stores.byName('second')!
    ground.stores[0]!.damage('d/a', bytesOf('SOME BYTES'))
    await expect(maker.make({ file, from, to })).rejects.toEqual(code('Mismatch'))
    expect(await world.copyOf('d/a')).toMatchObject({ state: 'mismatch' })
    expect(await world.copyOf('d/a', 2)).toBeUndefined()
    expect(await Array.fromAsync(ground.stores[1]!.spools())).toEqual([])
    expect(await Array.fromAsync(ground.stores[1]!.readTrail())).toEqual([])
    await expect(maker.make({ file, from, to })).rejects.toEqual(code('Conflict'))

    ground.stores[0]!.damage('d/a', bytesOf('some bytes'))
    await world.reader.read(file, from)
    await maker.make({ file, from, to })
    await expect(maker.make({ file, from, to })).rejects.toEqual(code('Conflict'))
  })

  test('a copy that went bad on its way to the medium is told, and the clone failed', async () => {
    const world = await openWith(bytesOf('some bytes'), {
      wrapStore: store =>
        store.name !== 'second'
          ? store
          : new Proxy(store, {
              get(target, key) {
                const value = Reflect.get(target, key, target)
                if (key !== 'appendTrail') return typeof value === 'function' ? value.bind(target) : value
                return async (records: never) => {
                  await target.appendTrail(records)
                  ;(target as never as World['store']).damage('d/a', bytesOf('SOME BYTES'))
                }
              },
            }),
    })
    const { maker, file, from } = world
    await expect(maker.make({ file, from, to: world.stores.byName('second')! })).rejects.toEqual(code('Mismatch'))
    expect(await world.copyOf('d/a', 2)).toMatchObject({ state: 'mismatch' })
    expect(await world.ground.catalogue.clones.get({ id: 1 })).toMatchObject({ status: 'FAILED' })
  })

  test('two at once make one copy', async () => {
    const world = await openWith(bytesOf('some bytes'))
    const { maker, file, from } = world
    const to = world.stores.byName('second')!
    const ends = await Promise.allSettled([1, 2, 3].map(() => maker.make({ file, from, to })))
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

test('make() brings a tree with all that is in it', async () => {
  const world = await openWith(tree)
  const { maker, file, from } = world
  expect(file.kind).toBe('tree')
  await maker.make({ file, from, to: world.stores.byName('second')! })
  expect(await world.copyOf('d/a', 2)).toMatchObject({ state: 'ok', calculated_size: 3 })
  const reading = await world.ground.stores[1]!.examine('d/a', { kind: 'tree', checksum: file.checksum })
  expect(reading).toMatchObject({ outcome: 'read', sha256: file.sha256, checksum: file.checksum })
})

test('A3: killed at any call of a make(), recovery leaves rows, bytes and clone transfers of one mind, and it can be asked again', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at++) {
      const ground = await newGround(['main', 'second', 'third'])
      const first = await openCopies({ ground })
      await first.upload('d/a', tree)
      const fall = fallAt({ at, how: 'kill', when })
      const killed = await openCopies({ ground, wrapCatalogue: fall.wrapCatalogue, wrapStore: fall.wrapStore })
      const { file, from } = await copied(first)
      const making = killed.maker.make({ file, from, to: killed.stores.byName('second')! })
      await Promise.race([making.catch(() => undefined), fall.died])
      const next = await openCopies({ ground, dead: new Set([killed.holder]) })
      await next.recovery.recover()
      await next.maker.recover()
      await sweep(next.stores.byName('second')!, ground.catalogue)
      const point = `${when} ${fall.fallen()}`
      expect(await ground.catalogue.clones.open(), point).toEqual([])
      expect(await ground.catalogue.intents.list(), point).toEqual([])
      expect(await Array.fromAsync(ground.stores[1]!.works()), point).toEqual([])
      expect(await Array.fromAsync(ground.stores[1]!.spools()), point).toEqual([])
      const copy = await next.copyOf('d/a', 2)
      expect((await ground.stores[1]!.stat('d/a')) !== undefined, point).toBe(copy !== undefined)
      if (copy === undefined) await next.maker.make({ file, from, to: next.stores.byName('second')! })
      expect(await next.copyOf('d/a', 2), point).toMatchObject({ state: 'ok', available: 1 })
      await ground.catalogue.close()
      if (fall.fallen() === undefined) break
    }
  }
}, 60_000)

describe('local clones', () => {
  async function openClones(count: number, totals: readonly number[] = []) {
    const ground = await newGround(['main', 'second', 'third'])
    totals.forEach((total, index) => {
      ;(ground.stores as MemoryStore[])[index] = new MemoryStore({ name: ground.stores[index]!.name, total })
    })
    const world = await openCopies({ ground })
    for (let n = 0; n < count; n++) await world.upload(`f${n}`, bytesOf(`content ${n}`))
    const { catalogue, stores, maker, alarms } = world
    const clones = createLocalClones({
      catalogue,
      maker,
      stores,
      alarms: { raise: async alarm => void alarms.push(alarm) },
      log: silentLog,
    })
    const run = (given: Partial<LocalCloneRequest> = {}) =>
      clones.run({
        from: stores.byName('main')!,
        to: [stores.byName('second')!, stores.byName('third')!],
        ages: {},
        most: 1024,
        disablesFull: false,
        after: 0,
        signal: new AbortController().signal,
        isOverdue: () => false,
        progress: () => {},
        ...given,
      })
    const namesOn = async (storeId: number) =>
      (await catalogue.instances.searchLocal({ store_id: storeId })).map(({ file_name }) => file_name).sort()
    return { ...world, run, namesOn }
  }

  test('copy what has no copy on any of the stores, once, and leave the rest for the next run', async () => {
    const world = await openClones(5)
    expect(await world.run({ most: 2 })).toMatchObject({ made: 2, failed: 0, after: 2 })
    expect(await world.run({ after: 2 })).toMatchObject({ made: 3, after: undefined })
    expect(await world.run()).toMatchObject({ made: 0, failed: 0 })
    expect(await world.namesOn(2)).toEqual(['f0', 'f1', 'f2', 'f3', 'f4'])
    expect(await world.namesOn(3)).toEqual([])
    expect(await world.ground.catalogue.clones.open()).toEqual([])
  })

  test('go to the next store where one is full, which is disabled if the settings say so', async () => {
    const world = await openClones(4, [1 << 20, 20, 1 << 20])
    expect(await world.run({ disablesFull: true })).toMatchObject({ made: 4, isFull: false })
    expect([await world.namesOn(2), await world.namesOn(3)]).toEqual([
      ['f0', 'f1'],
      ['f2', 'f3'],
    ])
    expect((await world.catalogue.stores.find({ name: 'second' }))!.enabled).toBe(false)
    expect(world.alarms).toMatchObject([{ category: 'store_full', severity: 'warning' }])
  })

  test('end, with an alarm, where no store has room', async () => {
    const world = await openClones(4, [1 << 20, 10, 10])
    expect(await world.run()).toMatchObject({ made: 2, isFull: true })
    expect(world.alarms).toMatchObject([{ category: 'store_full', severity: 'error' }])
  })

  test('copy by age, and nothing that is withdrawn or not known to be good', async () => {
    const world = await openClones(3)
    const [first] = (await world.catalogue.instances.searchLocal({ file_name: 'f0' }))!
    await world.catalogue.deletions.withdraw({ instanceId: first!.id })
    world.ground.stores[0]!.damage('f1', bytesOf('other'))
    await world.validation.validate('f1')
    expect(await world.run({ ages: { olderThanSeconds: 3600 } })).toMatchObject({ made: 0, failed: 0 })
    expect(await world.run({ ages: { youngerThanSeconds: 3600 } })).toMatchObject({ made: 1, failed: 0 })
    expect(await world.namesOn(2)).toEqual(['f2'])
  })
})
