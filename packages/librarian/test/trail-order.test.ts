/** Numbers of the trail's lines, on both databases. */
import { describe, expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { postgresDialect } from '../src/catalogue/dialect.ts'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import type { Database } from '../src/catalogue/operation.ts'
import { openPostgresCatalogue } from '../src/catalogue/postgres/catalogue.ts'
import { takeOrder, takeOrders } from '../src/catalogue/trail-order.ts'
import { onPostgres } from './both-databases.ts'
import { newId } from './store-suite.ts'

suite('memory', async () => {
  const catalogue = await openMemoryCatalogue()
  return [catalogue, catalogue]
})

await onPostgres(server => {
  suite('PostgreSQL', async () => {
    const url = await server.createDatabase()
    return [await openPostgresCatalogue({ url }), await openPostgresCatalogue({ url })]
  })
})

test('takeOrders() asks PostgreSQL nothing: the number comes with the row', async () => {
  const silent = { dialect: postgresDialect, sql: undefined } as unknown as Database
  await expect(takeOrders(silent, 100)).resolves.toBeDefined()
  await expect(takeOrder(silent)).resolves.toBeDefined()
})

function suite(label: string, open: () => Promise<readonly [Catalogue, Catalogue]>): void {
  describe(`${label}: the order of the trail`, () => {
    test('acts of two processes have numbers of their own, and a later act on a name the greater one', async () => {
      const [one, two] = await open()
      const stores = ['main', 'second'].map(name => {
        return { name, ingestable: true, type: 'local', data: {}, transferManagers: {} }
      })
      await one.stores.synchronise({ stores })
      const begun = await Promise.all(
        [one, two].flatMap((catalogue, side) =>
          Array.from({ length: 5 }, (_, batch) =>
            begin(
              catalogue,
              `p${side}`,
              [1, 2, 3].map(n => `${side}/${batch}/${n}`),
            ),
          ),
        ),
      )
      const orders = begun.flat().map(({ order }) => order)
      expect(new Set(orders).size).toBe(30)
      expect(await one.intents.list()).toHaveLength(30)
      const told = new Map((await one.intents.list()).map(intent => [intent.id, intent.trail_order]))
      expect(begun.flat().every(({ id, order }) => told.get(id) === order)).toBe(true)

      const [f] = await begin(one, 'p', ['f'])
      await finish(one, f!.id)
      const copy = (await two.instances.ofFile({ name: 'f' }))!.instances[0]!
      const proof = await addCopy(two, 'f')
      const held = { id: newId(), holder: 'q' }
      await two.deletions.announce({ ...held, instanceId: copy.id })
      const trash = await two.deletions.begin({
        ...held,
        instanceId: copy.id,
        actor: 'ada',
        reason: 'test',
        proofInstanceIds: [proof],
        evidence: [],
      })
      expect(trash.trail_order).toBeGreaterThan(f!.order)
      await two.deletions.finish(held)
      const taken = { ...held, holder: 'p' }
      const restored = await one.trash.beginRestore(taken)
      expect(restored.trail_order).toBeGreaterThan(trash.trail_order)
      // Whoever takes it over, it is the same act.
      const heir = await two.deletions.takeOver({ id: held.id, holder: 'q', from: 'p' })
      expect(heir!.trail_order).toBe(restored.trail_order)

      await two.rebuilding.raiseOrder({ over: 1000 })
      await one.rebuilding.raiseOrder({ over: 5 })
      expect(await one.rebuilding.takeOrders({ count: 3 })).toEqual([1001, 1002, 1003])
      await Promise.all([...new Set([one, two])].map(catalogue => catalogue.close()))
    })
  })
}

async function begin(catalogue: Catalogue, holder: string, names: readonly string[]) {
  const works = names.map(name => ({
    id: newId(),
    name,
    storeId: 1,
    origin: '{}',
    size: 1,
    checksum: undefined,
    transferId: undefined,
    manager: null,
    deletionPolicy: 'DISALLOWED' as const,
    uploader: 'ada',
    source: 'ada',
    firstUploader: null,
    createTime: undefined,
  }))
  const outcomes = await catalogue.intents.begin({ holder, works, forget: [] })
  return outcomes.map((outcome, index) => {
    if (outcome.outcome !== 'begun') throw new Error(JSON.stringify(outcome))
    return { id: works[index]!.id, order: outcome.order }
  })
}

const sha256 = 'a'.repeat(64)

async function finish(catalogue: Catalogue, id: string): Promise<void> {
  const prepared = { id, token: 1, kind: 'file' as const, size: 1, checksum: 'xxh3:::1', sha256, manifest: undefined }
  await catalogue.intents.prepared({ holder: 'p', works: [prepared] })
  const works = [{ id, token: 1, path: '/f', fingerprint: 'x' }]
  expect(await catalogue.intents.finish({ holder: 'p', by: 'here', works })).toEqual([true])
}

/** On the second store: what a deletion relies on. */
async function addCopy(catalogue: Catalogue, name: string): Promise<number> {
  const { file } = (await catalogue.instances.ofFile({ name }))!
  const { kind, size, checksum, uploader, source, create_time: createTime } = file
  const copy = { storeId: 2, path: '/g', available: true, state: 'ok', deletionPolicy: 'DISALLOWED' } as const
  const known = { name, kind, size, checksum, sha256, uploader, source, createTime, manifest: undefined, copy }
  await catalogue.rebuilding.register({ files: [{ ...known, isAttested: true, firstUploader: null }] })
  return (await catalogue.instances.ofFile({ name }))!.instances.find(({ store_id }) => store_id === 2)!.id
}
