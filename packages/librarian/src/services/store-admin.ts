/** Stores as an administrator sees them (librarian 10.8). */
import { randomBytes } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Manifest, ManifestOrder, ManifestRow } from '../catalogue/operations/manifest.ts'
import type { Unavailable } from '../stores/store.ts'
import type { Stores } from '../stores/stores.ts'
import type { Act } from './act.ts'

export interface ListedStore {
  readonly name: string
  readonly type: string
  /** −1: unavailable. */
  readonly free: number
  readonly ingestable: boolean
  readonly available: boolean
  /** Why it is not, and what to do about it. */
  readonly reason?: string | undefined
  readonly remedy?: string | undefined
  readonly enabled: boolean
}

export interface StoreAdmin {
  /** In order of id. */
  list(): Promise<ListedStore[]>
  /** `UnknownStore`. */
  setEnabled(name: string, enabled: boolean, act?: Act): Promise<void>
  /** All is done when it resolves; the rows come by the page. `UnknownStore`, `UnknownLibrarian`: then nothing was changed. */
  manifest(order: ManifestOrder, act?: Act): Promise<AsyncIterable<ManifestRow>>
}

/** Rows that are held at once. */
const PAGE = 1000

async function* rowsOf(catalogue: Pick<Catalogue, 'manifest'>, manifest: Manifest): AsyncGenerator<ManifestRow> {
  let after = 0
  for (;;) {
    const page = await catalogue.manifest.page({ manifest, after, limit: PAGE })
    for (const row of page) {
      after = row.instanceId
      // What came into use after its transfers were made is not in it.
      if (manifest.destination === undefined || row.transferId !== undefined) yield row
    }
    if (page.length < PAGE) return
  }
}

const notInSettings: { readonly available: false } & Unavailable = {
  available: false,
  reason: 'it is not in the settings of the librarian any more',
}

export function createStoreAdmin({
  catalogue,
  stores,
}: {
  catalogue: Pick<Catalogue, 'stores' | 'manifest'>
  stores: Pick<Stores, 'byId'>
}): StoreAdmin {
  const stateOf = async (id: number) => (await stores.byId(id)?.store.state()) ?? notInSettings
  return {
    async list() {
      const rows = await catalogue.stores.list()
      return Promise.all(
        rows.map(async ({ id, name, type, ingestable, enabled }) => {
          const state = await stateOf(id)
          const free = state.available ? Math.trunc(state.free) : -1
          const why = state.available ? {} : { reason: state.reason, remedy: state.remedy }
          return { name, type, free, ingestable, available: state.available, enabled, ...why }
        }),
      )
    },

    async setEnabled(name, enabled, act) {
      if (await catalogue.stores.setEnabled({ name, enabled, act: act?.entry() })) return
      throw new LibrarianError('UnknownStore', `Cannot change the store ${name}: there is no such store`)
    },

    async manifest(order, act) {
      const id = randomBytes(16).toString('hex')
      const made = await catalogue.manifest.make({ ...order, id, act: act?.entry() })
      return rowsOf(catalogue, made)
    },
  }
}
