/**
 * Bit rot (reliability 5, 9): seeded damages of copies on two real stores, behind everybody's back. One pass finds all of them and
 * no other; each is repaired from the other copy, where that is good; and no bad byte is lost. `npm run test:faults` does 10,000.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeContent, type MemoryContent } from '../src/stores/memory-content.ts'
import type { Store } from '../src/stores/store.ts'
import { commitTo, LocalPlace } from './local-place.ts'
import { catalogueOf, type Kept, openIntegrity, register } from './open-integrity.ts'
import { contentFrom, type Damage, damageFile, damageTree, digestOf, type Random, randomFrom } from './rot-damages.ts'

const seed = Number(process.env.ARRIERO_SEED ?? Math.floor(Math.random() * 1e9))
const damages = Number(process.env.ARRIERO_DAMAGES ?? 300)

/** Newly bad ones of a store in one pass: more would be the brake's. */
const perPass = 100
const files = 140
const trees = 30

const places: LocalPlace[] = []
beforeAll(async () => {
  for (let at = 0; at < 2; at += 1) places.push(await LocalPlace.make())
})
afterAll(async () => {
  for (const place of places) await place[Symbol.asyncDispose]()
})

test(`B5, C3: ${damages} damages are all found in one pass, and repaired, with no false alarm and no byte lost (ARRIERO_SEED=${seed})`, async () => {
  const random = randomFrom(seed)
  const names = ['one', 'two']
  const stores: Store[] = []
  for (const place of places) stores.push(await place.open())
  const catalogue = await catalogueOf(names)
  const kept = await fill(stores, random)
  await register(catalogue, kept)
  const named = stores.map(
    (store, at) => new Proxy(store, { get: (target, key) => (key === 'name' ? names[at] : bound(target, key)) }),
  )
  const site = openIntegrity({ catalogue, stores: named })
  const good = new Map(
    await Promise.all(kept.map(async one => [one.publication.name, await digestOf(at(0, one))] as const)),
  )
  let done = 0
  for (let round = 0; done < damages; round += 1) {
    const harmed = await harm(kept, Math.min(2 * perPass, damages - done), random)
    done += harmed.size
    const where = `round ${round} of seed ${seed}`
    for (const name of names) expect(await site.scrubAll(name), where).toMatchObject({ end: 'all' })
    const found = await badCopies()
    expect([...found].sort(), where).toEqual([...harmed.keys()].sort())
    expect(await site.repairAll(), where).toMatchObject({ repaired: harmed.size, kept: 0, unavailable: 0 })
    expect(await badCopies(), where).toEqual(new Set())
    await checkRepaired(harmed, where)
  }
  expect(await catalogue.instances.corrupt()).toEqual([])
  // Once more by everybody: nothing else has changed.
  for (const one of kept)
    for (const store of [0, 1]) expect(await digestOf(at(store, one))).toBe(good.get(one.publication.name))

  async function badCopies(): Promise<Set<string>> {
    const bad = await catalogue.repairs.bad({ after: 0, limit: 10_000 })
    return new Set(bad.map(({ store_id, file_name }) => `${store_id} ${file_name}`))
  }

  async function checkRepaired(harmed: ReadonlyMap<string, Damage>, where: string): Promise<void> {
    const repairs = await catalogue.repairs.dueForPurge({ olderThanSeconds: -1, after: '', limit: 100_000 })
    const last = new Map(
      repairs
        .toSorted((a, b) => (a.started < b.started ? -1 : 1))
        .map(repair => [`${repair.store_id} ${repair.file_name}`, repair]),
    )
    for (const [key, { digest, how }] of harmed) {
      const repair = last.get(key)!
      const root = places[repair.store_id - 1]!.root
      expect(await digestOf(join(root, '.arriero/quarantine', repair.id)), `${key} ${how}, ${where}`).toBe(digest)
      expect(await digestOf(repair.path), `${key} ${how}, ${where}`).toBe(good.get(repair.file_name))
    }
  }
}, 600_000)

function bound(target: Store, key: string | symbol): unknown {
  const value = Reflect.get(target, key, target)
  return typeof value === 'function' ? value.bind(target) : value
}

const at = (store: number, { publication: { name } }: Kept) => join(places[store]!.root, name)

async function fill(stores: readonly Store[], random: Random): Promise<Kept[]> {
  const kept: Kept[] = []
  const contents = new Map<string, MemoryContent>()
  for (let n = 0; n < files; n += 1) contents.set(`night-${n % 7}/f${n}`, contentFrom(random))
  for (let n = 0; n < trees; n += 1) {
    const paths = ['a', 'b.txt', 'sub/c', 'sub/deep/d']
    contents.set(`tree-${n}`, new Map(paths.map((path, at) => [path, Uint8Array.of(at, ...contentFrom(random))])))
  }
  for (const [name, content] of contents) {
    const { checksum, manifest } = await describeContent(content, undefined)
    const publications = []
    for (const store of stores) publications.push(await commitTo(store, name, content))
    kept.push({
      publication: publications[0]!,
      checksum,
      manifest,
      storeIds: [1, 2],
      pathOf: id => join(places[id - 1]!.root, name),
    })
  }
  return kept
}

/** Of each file one copy at most, so that the other one is good; by store and name. */
async function harm(kept: readonly Kept[], most: number, random: Random): Promise<Map<string, Damage>> {
  const harmed = new Map<string, Damage>()
  const counts = [0, 0]
  const order = kept.map(one => ({ one, key: random(1e9) })).toSorted((a, b) => a.key - b.key)
  for (const { one } of order) {
    const store = random(2)
    if (harmed.size === most) break
    if (counts[store] === perPass) continue
    counts[store]! += 1
    const others = kept
      .filter(({ publication: { kind } }) => kind === 'file')
      .map(other => at(store === 0 ? 1 : 0, other))
    const path = at(store, one)
    const damage = one.publication.kind === 'tree' ? damageTree(path, random) : damageFile(path, others, random)
    harmed.set(`${store + 1} ${one.publication.name}`, await damage)
  }
  return harmed
}
