/** Stores as an administrator sees them (librarian 10.8). */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { ManifestOrder, ManifestRow } from '../catalogue/operations/manifest.ts'
import type { Stores } from '../stores/stores.ts'

export interface ListedStore {
  readonly name: string
  readonly type: string
  /** −1: unavailable. */
  readonly free: number
  readonly ingestable: boolean
  readonly available: boolean
  readonly enabled: boolean
}

export interface StoreAdmin {
  /** In order of id. */
  list(): Promise<ListedStore[]>
  /** `UnknownStore`. */
  setEnabled(name: string, enabled: boolean): Promise<void>
  /** `UnknownStore`, `UnknownLibrarian`: then nothing was changed. */
  manifest(order: ManifestOrder): Promise<ManifestRow[]>
}

export function createStoreAdmin({
  catalogue,
  stores,
}: {
  catalogue: Pick<Catalogue, 'stores' | 'manifest'>
  stores: Pick<Stores, 'byId'>
}): StoreAdmin {
  const stateOf = async (id: number) => (await stores.byId(id)?.store.state()) ?? { available: false as const }
  return {
    async list() {
      const rows = await catalogue.stores.list()
      return Promise.all(
        rows.map(async ({ id, name, type, ingestable, enabled }) => {
          const state = await stateOf(id)
          const free = state.available ? Math.trunc(state.free) : -1
          return { name, type, free, ingestable, available: state.available, enabled }
        }),
      )
    },

    async setEnabled(name, enabled) {
      if (await catalogue.stores.setEnabled({ name, enabled })) return
      throw new LibrarianError('UnknownStore', `Cannot change the store ${name}: there is no such store`)
    },

    manifest: order => catalogue.manifest.make(order),
  }
}
