/** Two processes with connections of their own to one PostgreSQL catalogue, and one store. */
import { afterAll, describe, expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { openCatalogue } from '../src/catalogue/open.ts'
import { sweep } from '../src/services/recovery/sweep.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { checkInvariants } from './check-invariants.ts'
import { startPostgres } from './postgres.ts'
import { seeWorld } from './see-world.ts'
import { ada, ben, bytesOf, openWorld, type World } from './world.ts'

const server = await startPostgres()
afterAll(() => server?.end(), 60_000)

describe.skipIf(!server)('two processes on one PostgreSQL', () => {
  test('trap 4: of writers of one name at both processes one wins; equal content under many names is many files', async () => {
    await using pair = await openPair()
    const { one, two, catalogue, store } = pair
    for (let round = 0; round < 5; round += 1) {
      const name = `race/${round}`
      const ids = await Promise.all(
        Array.from({ length: 10 }, (_, n) => {
          const [world, caller] = n % 2 ? [one, ada] : [two, ben]
          return world.stage(name, bytesOf(`content ${n}`), { caller })
        }),
      )
      const ends = await Promise.allSettled(ids.map((id, n) => (n % 2 ? one.commit(id, ada) : two.commit(id, ben))))
      const told = ends.map(end => (end.status === 'fulfilled' ? 'kept' : (end.reason as { code: string }).code))
      expect(told.filter(word => word === 'kept')).toHaveLength(1)
      expect(
        told.every(word => ['kept', 'NameTaken', 'FileExists'].includes(word)),
        told.join(),
      ).toBe(true)
    }
    await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? one : two).upload(`equal/${n}`, bytesOf('equal'))))
    for (const site of one.stores.all) await sweep(site, catalogue)
    const seen = await seeWorld({ catalogue, stores: [store] })
    expect(seen.files).toHaveLength(25)
    expect(checkInvariants(withoutOpen(seen), [])).toEqual([])
  }, 120_000)
})

/** Transfers that may be tried again have their staging still. */
function withoutOpen(seen: Awaited<ReturnType<typeof seeWorld>>) {
  return { ...seen, transfers: seen.transfers.filter(({ status }) => status !== 'INITIATED') }
}

interface Pair extends AsyncDisposable {
  readonly one: World
  readonly two: World
  readonly catalogue: Catalogue
  readonly store: MemoryStore
}

async function openPair(): Promise<Pair> {
  const url = await server!.createDatabase()
  const catalogues = [await openCatalogue({ url }), await openCatalogue({ url })] as const
  await catalogues[0].stores.synchronise({
    stores: [{ name: 'main', ingestable: true, type: 'local', data: {}, transferManagers: {} }],
  })
  const store = new MemoryStore({ name: 'main' })
  const worlds = await Promise.all(catalogues.map(catalogue => openWorld({ ground: { catalogue, stores: [store] } })))
  return {
    one: worlds[0]!,
    two: worlds[1]!,
    catalogue: catalogues[0],
    store,
    async [Symbol.asyncDispose]() {
      for (const catalogue of catalogues) await catalogue.close()
    },
  }
}
