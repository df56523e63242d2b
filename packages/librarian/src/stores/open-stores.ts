/**
 * Opens the stores that the settings name and the catalogue knows. A place that is not there now is unavailable and may come
 * back; a place with another marker than the catalogue remembers is another disk, and nothing is written to it (B4).
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { StoreRow } from '../catalogue/operations/stores.ts'
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import { checkPlacesApart } from './places-apart.ts'
import type { Store } from './store.ts'
import type { SiteStore, Stores } from './stores.ts'

/** Opens the place of one row, or whatever is there now when `uuid` is undefined. */
export type OpenStore = (row: StoreRow, options: { createMarker: boolean }) => Promise<Store>

export interface OpenStoresOptions {
  readonly settings: Pick<Settings, 'addStores'>
  readonly catalogue: Pick<Catalogue, 'stores'>
  readonly openStore: OpenStore
  readonly log: Log
  /** Take over what the settings say of stores that are known already. Default: keep what is known. */
  readonly overwrite?: boolean | undefined
  /** Those that the catalogue knows, and nothing is changed: no row, no marker. */
  readonly isOnlyLooking?: boolean | undefined
}

export async function openStores(options: OpenStoresOptions): Promise<Stores> {
  const { settings, catalogue, openStore, log, overwrite = false, isOnlyLooking = false } = options
  // Before anything is written down, and with what was known before.
  await checkPlacesApart(settings.addStores)
  const rows = isOnlyLooking
    ? await catalogue.stores.list()
    : await catalogue.stores.synchronise({ stores: settings.addStores, overwrite })
  await checkPlacesApart(rows)
  const opened: SiteStore[] = []
  try {
    for (const row of rows) opened.push(await openSiteStore(row, { catalogue, openStore, log, isOnlyLooking }))
  } catch (error) {
    await closeAll(opened)
    throw error
  }
  return storesOf(opened)
}

async function openSiteStore(
  row: StoreRow,
  { catalogue, openStore, log, isOnlyLooking }: Omit<OpenStoresOptions, 'settings' | 'overwrite'>,
): Promise<SiteStore> {
  const { id, name, ingestable, transferManagers } = row
  // Only what was never opened becomes a store: an empty mount point must not.
  const store = await openStore(row, { createMarker: row.uuid === undefined && !isOnlyLooking })
  try {
    const state = await store.state()
    if (isOnlyLooking && row.uuid === undefined) log.warn({ store: name }, 'A store was never opened')
    else if (state.available) await catalogue.stores.setUuid({ id, uuid: state.uuid })
    else if (state.otherUuid !== undefined) await catalogue.stores.setUuid({ id, uuid: state.otherUuid })
    else await refuseOtherDisk(row, { catalogue, openStore })
    if (!state.available) log.error({ store: name, reason: state.reason }, 'A store is unavailable')
    else if (state.free === 0) log.warn({ store: name }, noRoomFor(row))
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
  return { id, name, store, ingestable, transferManagers }
}

/** Told at every start: on a small disk the first upload would be refused otherwise, for no reason that anybody sees. */
function noRoomFor({ type }: StoreRow): string {
  if (type !== 'local') return 'A store has no room: uploads to it are refused'
  return (
    'A store has no room: its disk has no more free than the `reserve` that uploads leave (default: 5 %, and 10 GiB at least). ' +
    'Free some, or lower `reserve` in its `store_data` and start once with --migrate-stores'
  )
}

/** A disk that is not there may come; one that is another's was mounted by mistake, and somebody must know now. */
async function refuseOtherDisk(
  row: StoreRow,
  { catalogue, openStore }: Pick<OpenStoresOptions, 'catalogue' | 'openStore'>,
): Promise<void> {
  await using there = await openStore({ ...row, uuid: undefined }, { createMarker: false })
  const state = await there.state()
  if (state.available) await catalogue.stores.setUuid({ id: row.id, uuid: state.uuid })
}

function storesOf(all: readonly SiteStore[]): Stores {
  const byName = new Map(all.map(store => [store.name, store]))
  const byId = new Map(all.map(store => [store.id, store]))
  return {
    all,
    byName: name => byName.get(name),
    byId: id => byId.get(id),
    [Symbol.asyncDispose]: () => closeAll(all),
  }
}

async function closeAll(stores: readonly SiteStore[]): Promise<void> {
  const ends = await Promise.allSettled(stores.map(({ store }) => store[Symbol.asyncDispose]()))
  const failed = ends.find(end => end.status === 'rejected')
  if (failed) throw new LibrarianError('Internal', 'A store could not be closed', { cause: failed.reason })
}
