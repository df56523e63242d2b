/** Reading everything again (reliability C3, B4; traps 8): over a catalogue and stores in memory. */
import { expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import type { ScrubCursor } from '../src/catalogue/operations/scrubbing.ts'
import { inGroups } from '../src/services/scrub/groups.ts'
import { createPace } from '../src/services/scrub/pace.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import type { Examination, ReadOptions } from '../src/stores/store.ts'
import { memoryGround, openIntegrity, place, register } from './open-integrity.ts'
import { bytesOf } from './world.ts'

async function withFiles(count: number) {
  const ground = await memoryGround(['main'])
  const names = Array.from({ length: count }, (_, at) => `f${String(at).padStart(4, '0')}`)
  const kept = await Promise.all(names.map(name => place(ground, name, bytesOf(`good ${name}`))))
  await register(ground.catalogue, kept)
  return { ...ground, main: ground.stores[0]!, names, site: openIntegrity(ground) }
}

/** What was asked of the disk, in order. */
function watch(store: MemoryStore): { names: string[]; options: ReadOptions[] } {
  const seen = { names: [] as string[], options: [] as ReadOptions[] }
  const examineAll = store.examineAll.bind(store)
  store.examineAll = (works: readonly Examination[], options: ReadOptions = {}) => {
    seen.names.push(...works.map(({ name }) => name))
    seen.options.push(options)
    return examineAll(works, options)
  }
  return seen
}

test('trap 8: old copies are read like new ones, each once in a pass, past the page cache', async () => {
  const { main, names, site } = await withFiles(700)
  const seen = watch(main)
  expect(await site.scrubAll('main')).toMatchObject({ end: 'all', counts: { read: 700, bad: 0 } })
  expect(seen.names.toSorted()).toEqual(names)
  expect(seen.options.every(({ isDirect }) => isDirect)).toBe(true)
  // All were read within half of this period.
  const period = { storeName: 'main', periodMs: 7_200_000, bytesPerSecond: undefined }
  expect(await site.scrub.scrub(period, site.run)).toMatchObject({ counts: { read: 0 } })
})

test('trap 8: however many copies there are, a pass asks for a page of them at a time', async () => {
  const { catalogue, stores } = await withFiles(3000)
  const pages: number[] = []
  const wrapCatalogue = (whole: Catalogue): Catalogue => {
    const due: Catalogue['scrubbing']['due'] = async page => {
      const rows = await whole.scrubbing.due(page)
      pages.push(rows.length)
      return rows
    }
    return { ...whole, scrubbing: { ...whole.scrubbing, due } }
  }
  const site = openIntegrity({ catalogue, stores, wrapCatalogue })
  expect(await site.scrubAll('main')).toMatchObject({ counts: { read: 3000 } })
  expect(pages.reduce((sum, count) => sum + count, 0)).toBe(3000)
  expect(Math.max(...pages)).toBeLessThanOrEqual(1024)
})

test('C3: a pass that is stopped goes on where it was, with what was read longest ago', async () => {
  const { catalogue, stores, main, names } = await withFiles(2000)
  const stop = new AbortController()
  const dying = openIntegrity({ catalogue, stores })
  const progress = () => stop.abort(new Error('killed'))
  const everything = { storeName: 'main', periodMs: 7_200_000, bytesPerSecond: undefined }
  await expect(dying.scrub.scrub(everything, { ...dying.run, signal: stop.signal, progress })).rejects.toThrow('killed')
  const read = (await catalogue.instances.all()).instances.filter(({ checksum_time }) => checksum_time !== null)
  expect(read.length).toBeGreaterThan(0)
  expect(read.length).toBeLessThan(2000)
  const seen = watch(main)
  const site = openIntegrity({ catalogue, stores })
  await site.scrub.scrub(everything, site.run)
  expect(seen.names.toSorted()).toEqual(names.filter(name => !read.some(({ file_name }) => file_name === name)))
})

test('C2: what is bad is read twice, both are recorded, and each state is its own', async () => {
  const { main, catalogue, site } = await withFiles(5)
  main.damage('f0000', bytesOf('evil'))
  main.lose('f0001')
  main.makeUnreadable('f0002')
  expect(await site.scrubAll('main')).toMatchObject({ end: 'all', counts: { read: 5, bad: 3 } })
  const states = (await catalogue.instances.all()).instances.map(({ state }) => state)
  expect(states).toEqual(['mismatch', 'missing', 'unreadable', 'ok', 'ok'])
  expect(await catalogue.instances.corrupt()).toMatchObject([{ file_name: 'f0000', count: 2 }])
  expect(site.raised).toHaveLength(3)
})

test('B4: more newly bad copies than rot makes stop the pass; nothing more is marked until a person has cleared it', async () => {
  const { main, names, catalogue, site } = await withFiles(300)
  for (const name of names.slice(0, 250)) main.lose(name)
  const report = await site.scrubAll('main')
  expect(report).toMatchObject({ end: 'braked' })
  const marked = async () =>
    (await catalogue.instances.all()).instances.filter(({ state }) => state === 'missing').length
  const before = await marked()
  expect(before).toBeLessThanOrEqual(100)
  expect(await site.scrubAll('main')).toMatchObject({ end: 'braked', counts: { read: 0 } })
  expect(await marked()).toBe(before)
  const [alarm] = (await catalogue.errors.search({ includeResolved: false, limit: 999 })).filter(({ caller }) =>
    caller?.startsWith('brake'),
  )
  expect(alarm).toMatchObject({ severity: 'critical' })
  await catalogue.errors.clear({ id: alarm!.id })
  for (const name of names) main.damage(name, bytesOf(`good ${name}`))
  expect(await site.scrubAll('main')).toMatchObject({ end: 'all', counts: { read: 300, bad: 0 } })
  expect(await marked()).toBe(0)
})

test('B4: a disk that goes in the middle, or is another one, is no reason to call a copy missing', async () => {
  const { main, names, catalogue, stores, site } = await withFiles(600)
  let asked = 0
  const going = new Proxy(main, {
    get(target, key) {
      const value = Reflect.get(target, key, target)
      if (key === 'examineAll' && ++asked === 2) target.unavailableBecause = 'unplugged'
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  expect(await openIntegrity({ catalogue, stores: [going] }).scrubAll('main')).toMatchObject({
    end: 'gone',
    why: 'unplugged',
  })
  expect(await site.scrubAll('main')).toMatchObject({ end: 'gone', counts: { read: 0 } })
  main.unavailableBecause = undefined
  const empty = new MemoryStore({ name: 'main' })
  let states = 0
  const swapped = new Proxy(main, {
    get(target, key) {
      const from = key === 'examineAll' || key === 'examine' || (key === 'state' && ++states > 1) ? empty : target
      const value = Reflect.get(from, key, from)
      return typeof value === 'function' ? value.bind(from) : value
    },
  })
  expect(await openIntegrity({ catalogue, stores: [swapped] }).scrubAll('main')).toMatchObject({ end: 'gone' })
  const { instances } = await catalogue.instances.all()
  expect(instances.filter(({ state }) => state !== 'ok')).toEqual([])
  expect(instances).toHaveLength(names.length)
  expect(stores).toHaveLength(1)
})

test('a pass ends when its time is over, and recent copies go on after the last that was read', async () => {
  const { main, site, catalogue, stores, names } = await withFiles(600)
  let left = 2
  const overdue = openIntegrity({ catalogue, stores, isOverdue: () => left-- <= 0 })
  let cursor: ScrubCursor | undefined
  const recorded = (at: ScrubCursor) => {
    cursor = at
  }
  const seen = watch(main)
  const recent = { storeName: 'main', ageInDays: 0 }
  expect(await overdue.scrub.checkRecent(recent, { ...overdue.run, recorded })).toMatchObject({ end: 'overdue' })
  expect(seen.names.length).toBeGreaterThan(0)
  expect(seen.names.length).toBeLessThan(600)
  expect(await site.scrub.checkRecent({ ...recent, after: cursor }, site.run)).toMatchObject({ end: 'all' })
  expect(seen.names.toSorted()).toEqual(names)
  expect(await site.scrub.checkRecent({ ...recent, storeName: 'none' }, site.run)).toBeUndefined()
})

test('the pace is kept on the whole, however many read, and not at all without a limit', async () => {
  let now = 0
  const waits: number[] = []
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      waits.push(ms)
    },
  }
  const { signal } = new AbortController()
  const pace = createPace(1000, clock)
  for (let n = 0; n < 4; n += 1) await pace.take(500, signal)
  expect(waits).toEqual([500, 1000, 1500])
  now = 60_000
  await pace.take(500, signal)
  expect(waits).toHaveLength(3)
  await createPace(undefined, clock).take(1e12, signal)
  expect(waits).toHaveLength(3)
})

test('while what was read is recorded the next is read, and no more at once than may be', async () => {
  const { main, catalogue } = await withFiles(2000)
  const fourth = Promise.withResolvers<void>()
  let [asked, reading, most] = [0, 0, 0]
  const examineAll = main.examineAll.bind(main)
  main.examineAll = async (...args) => {
    if (++asked === 4) fourth.resolve()
    most = Math.max(most, ++reading)
    try {
      return await examineAll(...args)
    } finally {
      reading -= 1
    }
  }
  const wrapCatalogue = (inner: typeof catalogue) => ({
    ...inner,
    readings: {
      ...inner.readings,
      async record(request: Parameters<typeof inner.readings.record>[0]) {
        await fourth.promise
        await inner.readings.record(request)
      },
    },
  })
  const site = openIntegrity({ catalogue, stores: [main], wrapCatalogue })
  expect(await site.scrubAll('main')).toMatchObject({ end: 'all', counts: { read: 2000 } })
  expect(most).toBeLessThanOrEqual(3)
})

test('small copies are read together, large ones alone', async () => {
  const sizes = [...Array.from({ length: 600 }, () => 10), 1e12, 10]
  async function* copies() {
    for (const size of sizes) yield { file: { size } } as never
  }
  const groups = await Array.fromAsync(inGroups(copies()))
  expect(groups.map(({ length }) => length)).toEqual([256, 256, 88, 1, 1])
})
