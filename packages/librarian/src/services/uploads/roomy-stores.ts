import type { RoomyStore } from '../../catalogue/operations/uploads.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'

/** Stores where something new may land and that are there now, in order of id, with what their disks have left. */
export async function roomyStores(stores: Stores): Promise<RoomyStore[]> {
  return await storesWithRoom(stores.all.filter(({ ingestable }) => ingestable))
}

/** Those where nothing new may land. */
export async function closedStores(stores: Stores): Promise<RoomyStore[]> {
  return await storesWithRoom(stores.all.filter(({ ingestable }) => !ingestable))
}

async function storesWithRoom(sites: readonly SiteStore[]): Promise<RoomyStore[]> {
  const states = await Promise.all(sites.map(site => site.store.state()))
  return sites.flatMap(({ id, store }, index) => {
    const state = states[index]!
    return state.available ? [{ id, free: state.free, hasTrees: store.capabilities.hasTrees }] : []
  })
}
