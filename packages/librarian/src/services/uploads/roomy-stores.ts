import { LibrarianError } from '@arriero/api'
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

/** @throws LibrarianError `Busy`: the server could not look, and no store that it saw is there */
async function storesWithRoom(sites: readonly SiteStore[]): Promise<RoomyStore[]> {
  const states = await Promise.all(sites.map(site => site.store.state()))
  const unseen = states.find(state => !state.available && state.isUnseen)
  if (unseen && !states.some(({ available }) => available)) {
    throw new LibrarianError(
      'Busy',
      'Cannot look at the stores: the server has no descriptors, or no memory, for it now',
    )
  }
  return sites.flatMap(({ id, store }, index) => {
    const state = states[index]!
    return state.available ? [{ id, free: state.free, hasTrees: store.capabilities.hasTrees }] : []
  })
}
