/** What the judge is shown of a world in memory. */
import type { Store } from '../src/stores/store.ts'
import type { Seen, SeenStore } from './check-invariants.ts'
import type { WorldGround } from './world.ts'

export async function seeWorld({ catalogue, stores }: WorldGround): Promise<Seen> {
  const { files, instances } = await catalogue.instances.all()
  const transfers = await catalogue.uploads.list({ limit: 10_000 })
  return {
    files,
    instances: instances.map(({ file_name, store_id, available }) => ({
      file_name,
      store: stores[store_id - 1]!.name,
      available,
    })),
    transfers,
    intents: await catalogue.intents.list(),
    stores: await Promise.all(stores.map(seeStore)),
  }
}

async function seeStore(store: Store): Promise<SeenStore> {
  const disk = new Map<string, Uint8Array | null>()
  const tops: string[] = []
  for await (const { name, kind, size } of store.scan()) {
    if (name === undefined) continue
    const top = tops.find(other => name.startsWith(`${other}/`))
    if (kind === 'directory') {
      disk.set(name, null)
      if (top === undefined) tops.push(name)
      continue
    }
    await using file = await (top === undefined ? store.open(name) : store.open(top, name.slice(top.length + 1)))
    const pieces = size === 0 ? [] : await Array.fromAsync(file.read(0, size))
    disk.set(name, new Uint8Array(Buffer.concat(pieces)))
  }
  return {
    name: store.name,
    disk,
    trail: await Array.fromAsync(store.readTrail()),
    stagings: await Array.fromAsync(store.stagings()),
    works: await Array.fromAsync(store.works()),
  }
}
