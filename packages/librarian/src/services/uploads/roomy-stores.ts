import type { RoomyStore } from '../../catalogue/operations/uploads.ts'
import type { Stores } from '../../stores/stores.ts'

/** Stores where something new may land and that are there now, in order of id, with what their disks have left. */
export async function roomyStores(stores: Stores): Promise<RoomyStore[]> {
  const ingestable = stores.all.filter(({ ingestable }) => ingestable)
  const states = await Promise.all(ingestable.map(site => site.store.state()))
  return ingestable.flatMap(({ id, store }, index) => {
    const state = states[index]!
    return state.available ? [{ id, free: state.free, hasTrees: store.capabilities.hasTrees }] : []
  })
}
