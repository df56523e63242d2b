/**
 * Opens the stores that the settings name and the catalogue knows. A place that is not there now is unavailable and may come
 * back; a place with another marker than the catalogue remembers is another disk, and nothing is written to it (B4).
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { instantOf, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { StoreRow } from '../catalogue/operations/stores.ts'
import type { Clock } from '../clock.ts'
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import type { Keeper } from './keeper.ts'
import { createLife } from './life.ts'
import type { OpenStoreParts } from './open-store.ts'
import { checkPlacesApart } from './places-apart.ts'
import type { Store } from './store.ts'
import type { SiteStore, Stores } from './stores.ts'

/** Opens the place of one row, or whatever is there now when `uuid` is undefined. */
export type OpenStore = (
  row: StoreRow,
  options: Pick<OpenStoreParts, 'createMarker' | 'mayClaim' | 'keeper' | 'isToBeTakenOver' | 'life'>,
) => Promise<Store>

export interface OpenStoresOptions {
  readonly settings: Pick<Settings, 'addStores' | 'name'>
  readonly catalogue: Pick<Catalogue, 'stores' | 'settings' | 'audit' | 'lives'>
  readonly openStore: OpenStore
  readonly clock: Clock
  /** Where the catalogue lies (`catalogue-place.ts`). Default: nobody says. */
  readonly place?: string | undefined
  readonly log: Log
  /** Take over what the settings say of stores that are known already. Default: keep what is known. */
  readonly overwrite?: boolean | undefined
  /** Those that the catalogue knows, and nothing is changed: no row, no marker. */
  readonly isOnlyLooking?: boolean | undefined
  /**
   * A store that is another catalogue's becomes this one's: where this one takes over what the store knows, and the operator
   * has said so. Told of each that was. Default: such a store is unavailable.
   */
  readonly onTakeOver?: ((store: string, from: Keeper) => void) | undefined
  /**
   * A catalogue was put back in its place: a store whose marker names this very place, on this machine, is its own, though of a
   * life that it does not know. Default: such a store is unavailable.
   */
  readonly isPutBack?: boolean | undefined
}

export async function openStores(options: OpenStoresOptions): Promise<Stores> {
  const { settings, catalogue, overwrite = false, isOnlyLooking = false } = options
  // Before anything is written down, and with what was known before.
  await checkPlacesApart(settings.addStores)
  const rows = isOnlyLooking
    ? await catalogue.stores.list()
    : await catalogue.stores.synchronise({ stores: settings.addStores, overwrite })
  await checkPlacesApart(rows)
  const keeper = await keeperOf(options)
  const opened: SiteStore[] = []
  try {
    for (const row of rows) opened.push(await openSiteStore(row, keeper, options))
  } catch (error) {
    await closeAll(opened)
    throw error
  }
  return storesOf(opened)
}

/** Of the catalogue: it gets its UUID before it has its first store, and keeps it from then on. */
async function keeperOf({
  settings,
  catalogue,
  clock,
  place,
  isOnlyLooking,
}: OpenStoresOptions): Promise<Keeper | undefined> {
  const uuid = isOnlyLooking
    ? await catalogue.settings.get({ key: 'uuid' })
    : await catalogue.settings.setOnce({ key: 'uuid', value: randomUUID() })
  if (uuid === undefined) return undefined
  return {
    catalogue: uuid,
    librarian: settings.name,
    host: hostname(),
    since: instantOf(new Date(clock.wallNow())),
    ...(place === undefined ? {} : { place }),
  }
}

async function openSiteStore(
  row: StoreRow,
  keeper: Keeper | undefined,
  options: OpenStoresOptions,
): Promise<SiteStore> {
  const { catalogue, openStore, log, isOnlyLooking = false, isPutBack = false, onTakeOver } = options
  const { id, name, ingestable, transferManagers, asyncTransferManagers } = row
  // Only what was never opened becomes a store: an empty mount point must not.
  const store = await openStore(row, {
    createMarker: row.uuid === undefined && !isOnlyLooking,
    mayClaim: !isOnlyLooking,
    keeper,
    isToBeTakenOver: onTakeOver !== undefined || isPutBack,
    life: keeper && createLife({ lives: catalogue.lives, store: id, keeper }),
  })
  try {
    await takeOver(store, keeper, options)
    const state = await store.state()
    if (isOnlyLooking && row.uuid === undefined) log.warn({ store: name }, 'A store was never opened')
    else if (state.available) await catalogue.stores.setUuid({ id, uuid: state.uuid })
    else if (state.otherUuid !== undefined) await catalogue.stores.setUuid({ id, uuid: state.otherUuid })
    else if (!state.otherKeeper) await refuseOtherDisk(row, keeper, options)
    if (!state.available)
      log.error({ store: name, reason: state.reason, remedy: state.remedy }, 'A store is unavailable')
    else if (state.free === 0) log.warn({ store: name }, noRoomFor(row))
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
  return { id, name, store, ingestable, transferManagers, asyncTransferManagers }
}

async function takeOver(
  store: Store,
  keeper: Keeper | undefined,
  { catalogue, settings, log, onTakeOver, isPutBack = false }: OpenStoresOptions,
): Promise<void> {
  if (!onTakeOver && !isPutBack) return
  const state = await store.state()
  if (state.available || !state.otherKeeper) return
  const wasHere = isPutBack && isSamePlace(state.otherKeeper, keeper)
  if (!onTakeOver && !wasHere) return
  // Noted first: an act that nobody finds an entry of must not be.
  const { otherKeeper: from } = state
  await catalogue.audit.append({ actor: settings.name, action: 'take over store', subject: store.name, detail: from })
  await store.takeOver()
  if (wasHere) return log.info({ store: store.name, from }, 'A store is again that of the catalogue that was put back')
  log.warn({ store: store.name, from }, 'A store was taken over from another catalogue; end the librarian that had it')
  onTakeOver?.(store.name, from)
}

/** Nobody else can have it there: who puts it back has the place to himself. */
function isSamePlace(met: Keeper, own: Keeper | undefined): boolean {
  if (own?.place === undefined) return false
  return met.catalogue === own.catalogue && met.place === own.place && met.host === own.host
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
  keeper: Keeper | undefined,
  { catalogue, openStore }: OpenStoresOptions,
): Promise<void> {
  const known = { ...row, uuid: undefined }
  await using there = await openStore(known, { createMarker: false, mayClaim: false, keeper })
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
