/** Room on the stores that copies go to, shared out among copies that are made at the same time. */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { File } from '../../catalogue/operations/instances.ts'
import type { SiteStore } from '../../stores/stores.ts'

export type RoomFor = Pick<File, 'size' | 'kind'>

export interface Rooms {
  /** The first store that has room, which is taken from it; and those before it that were found too full. */
  take(file: RoomFor): { readonly to: SiteStore | undefined; readonly full: readonly SiteStore[] }
  /** It was not needed. */
  giveBack(store: SiteStore, file: RoomFor): void
  /** Whether any store could take it, if it had room. */
  isFor(file: RoomFor): boolean
}

interface Room {
  readonly site: SiteStore
  free: number
  isFull: boolean
}

/** Stores that are not available, or not enabled, have none. */
export async function takeRooms(catalogue: Pick<Catalogue, 'stores'>, to: readonly SiteStore[]): Promise<Rooms> {
  const enabled = new Set((await catalogue.stores.list()).filter(row => row.enabled).map(({ id }) => id))
  const rooms: Room[] = []
  for (const site of to) {
    const state = await site.store.state()
    if (state.available && enabled.has(site.id)) rooms.push({ site, free: state.free, isFull: false })
  }
  const mayHave = ({ site }: Room, file: RoomFor) => file.kind === 'file' || site.store.capabilities.hasTrees

  return {
    take(file) {
      const full: SiteStore[] = []
      for (const room of rooms) {
        if (room.isFull || !mayHave(room, file)) continue
        if (room.free >= needed(file)) {
          room.free -= needed(file)
          return { to: room.site, full }
        }
        room.isFull = true
        full.push(room.site)
      }
      return { to: undefined, full }
    },
    giveBack(store, file) {
      const room = rooms.find(({ site }) => site.id === store.id)
      if (room) room.free += needed(file)
    },
    isFor: file => to.some(site => file.kind === 'file' || site.store.capabilities.hasTrees),
  }
}

/** A tree is there twice while it is unpacked. */
function needed({ size, kind }: RoomFor): number {
  return kind === 'tree' ? 2 * size : size
}
