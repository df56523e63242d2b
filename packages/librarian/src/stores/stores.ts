/** The stores of this site, opened: the catalogue's row beside the place itself. */
import type { Store } from './store.ts'

export interface SiteStore {
  /** Of the catalogue's row, as the wire's `store_id`. */
  readonly id: number
  readonly name: string
  readonly store: Store
  /** New uploads may land here: from the settings. Whether it is enabled is the catalogue's, and changes at run time. */
  readonly ingestable: boolean
  /** `{manager: {available, hostnames, …}}` of the settings (librarian 8). */
  readonly transferManagers: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** The same for other librarians that send clones (librarian 9), in the order in which they are offered. Default: none. */
  readonly asyncTransferManagers?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined
}

export interface Stores extends AsyncDisposable {
  /** In order of id. */
  readonly all: readonly SiteStore[]
  byName(name: string): SiteStore | undefined
  byId(id: number): SiteStore | undefined
}
