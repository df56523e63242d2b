/**
 * What is done to a catalogue and its stores while no server runs on them: comparing, making the catalogue again, putting a
 * backup back.
 */
import { randomBytes } from 'node:crypto'
import { LibrarianError } from '@arriero/api'

import type { Catalogue } from './catalogue/catalogue.ts'
import { openCatalogue } from './catalogue/open.ts'
import { ownerNow } from './catalogue/sqlite/owner.ts'
import { restoreFile } from './catalogue/sqlite/restore.ts'
import { systemClock } from './clock.ts'
import type { Settings } from './config.ts'
import { createCommitServices } from './features/commits.ts'
import { type Log, silentLog } from './log.ts'
import { createFernet, type Fernet } from './secrets/fernet.ts'
import { digestProblem, listBackups } from './services/backups/backup-directory.ts'
import { type BackupState, describeBackups } from './services/backups/describe-backups.ts'
import { createAlarms } from './services/create-alarms.ts'
import type { ImportReport } from './services/importing/import.ts'
import { type RebuildOptions, type RebuildReport, rebuild } from './services/recovery/rebuild.ts'
import { type Finding, reconcile } from './services/recovery/reconcile.ts'
import { refuseFilled } from './services/recovery/refuse-filled.ts'
import { replaceDisk } from './services/recovery/replace-disk.ts'
import { type ReplayReport, replay } from './services/recovery/replay.ts'
import { parseStatement } from './services/repair-database/statement.ts'
import { type TakeReport, takeFromUpstream } from './services/repair-database/take-from-upstream.ts'
import { tellDownstream } from './services/repair-database/tell-downstream.ts'
import { cataloguePlace } from './stores/catalogue-place.ts'
import { openStore } from './stores/open-store.ts'
import { openStores } from './stores/open-stores.ts'
import type { Stores } from './stores/stores.ts'

export interface InspectOptions {
  readonly settings: Settings
  readonly log: Log
  readonly signal?: AbortSignal | undefined
}

/**
 * Every difference between the catalogue and the stores; changes no file and no row.
 *
 * @throws `Configuration` where there is no catalogue: an empty one, made for the question, agrees with everything
 */
export async function* inspectStores(options: InspectOptions): AsyncIterable<Finding> {
  await using ground = await openGround({ ...options, isOnlyLooking: true })
  for (const site of ground.stores.all) yield* await reconcile(site, ground.catalogue, options.signal)
}

export interface RebuiltCatalogue extends RebuildReport {
  /** Stores that were another catalogue's. */
  readonly takenOver: readonly string[]
}

/** Fills an empty catalogue from what the stores of the settings know. @throws as `rebuild` */
export async function rebuildCatalogue(
  options: InspectOptions & Pick<RebuildOptions, 'directories'>,
): Promise<RebuiltCatalogue> {
  const takenOver: string[] = []
  await using ground = await openGround({ ...options, takenOver, mustBeEmpty: true })
  const { directories, signal } = options
  const report = await rebuild({ ...ground, clock: systemClock, directories, signal })
  return { ...report, takenOver }
}

export interface ImportedCatalogue extends ImportReport {
  /** Stores that were another catalogue's: of an import that did not end. */
  readonly takenOver: readonly string[]
}

/**
 * Fills a new catalogue from the database of a Python librarian that has ended.
 *
 * @param options.from `sqlite:PATH` or `postgres://…`
 * @throws as `importInstallation`
 */
export async function importCatalogue(
  options: InspectOptions & { readonly from: string; readonly dropsOpen: boolean },
): Promise<ImportedCatalogue> {
  const { settings, log, signal, dropsOpen } = options
  refuseItself(settings, options.from)
  // Here and not at the top: a server that runs needs neither them nor what reads other people's databases.
  const { openInstallation } = await import('./legacy/installation.ts')
  const { importInstallation } = await import('./services/importing/import-installation.ts')
  await using from = await openInstallation(options.from)
  await using catalogue = await openCatalogueOf(settings, log)
  const takenOver: string[] = []
  const fernet =
    settings.encryptionKey && createFernet(settings.encryptionKey, { clock: systemClock, random: randomBytes })
  const report = await importInstallation({
    from,
    catalogue,
    openStores: () => openStoresOf(catalogue, { settings, log, takenOver }),
    dropsOpen,
    readsCredentials: authenticator => canRead(fernet, authenticator),
    clock: systemClock,
    random: randomBytes,
    actor: settings.name,
    signal,
  })
  return { ...report, takenOver }
}

/**
 * What this librarian knows of another one that lost its database, as pieces of one JSON document (librarian 15).
 *
 * @throws LibrarianError `UnknownLibrarian`
 */
export async function* tellDownstreamOf(
  options: InspectOptions & { readonly librarian: string; readonly ageSeconds: number },
): AsyncIterable<string> {
  const { settings, log, librarian, ageSeconds } = options
  await using catalogue = await openCatalogueOf(settings, log, true)
  yield* tellDownstream({ catalogue, librarian, ageSeconds, source: settings.name })
}

export interface RepairDatabaseOptions extends InspectOptions {
  /** Name of a store of the settings. */
  readonly store: string
  /** What the upstream has told: JSON. */
  readonly statement: string
  /** Every so many files one is read in full. */
  readonly spotCheck: number
  readonly onFile?: (() => void) | undefined
}

/** Makes rows again that were lost, from what the upstream knows. @throws as `takeFromUpstream`, `UnknownStore`, `BadRequest` */
export async function repairDatabase(options: RepairDatabaseOptions): Promise<TakeReport> {
  const statement = parseStatement(options.statement)
  await using ground = await openGround(options)
  const site = ground.stores.byName(options.store)
  if (!site) throw new LibrarianError('UnknownStore', `Cannot repair: there is no store ${options.store}`)
  const { spotCheck, onFile } = options
  const { catalogue } = ground
  return await takeFromUpstream({
    catalogue,
    site,
    statement,
    spotCheck,
    onFile,
    clock: systemClock,
    random: randomBytes,
  })
}

/** The disk of a store is lost, and an empty one in its place. @returns how many copies it had @throws as `replaceDisk` */
export async function replaceDiskOf(options: InspectOptions & { readonly store: string }): Promise<number> {
  const { settings, store } = options
  await using catalogue = await openCatalogueOf(settings, options.log)
  // That the store is not there is why we are asked.
  const openStores = () => openStoresOf(catalogue, { ...options, log: silentLog })
  return await replaceDisk({ catalogue, openStores, store, by: settings.name, clock: systemClock })
}

/** Settings of the other one, used again as they are, name its database as ours. */
function refuseItself({ catalogue }: Settings, from: string): void {
  const own = catalogue.engine === 'sqlite' ? `sqlite:${catalogue.path}` : catalogue.url.reveal()
  if (own !== from) return
  throw new LibrarianError(
    'Configuration',
    'Cannot import a database into itself: the settings name it as the catalogue',
    {
      remedy:
        'Name a new one in the settings: `catalogue: sqlite:PATH`, or `postgres://…`, instead of the database_ keys.',
    },
  )
}

function canRead(fernet: Fernet | undefined, token: string): boolean {
  try {
    return fernet !== undefined && fernet.decrypt(token) !== ''
  } catch {
    return false
  }
}

export interface RestoreReport extends ReplayReport {
  /** The backup that was put back; undefined: the catalogue was brought up to date as it is. */
  readonly backup: string | undefined
  /** Where the catalogue that was there is now. */
  readonly replaced: string | undefined
  /** Stores that were another catalogue's. */
  readonly takenOver: readonly string[]
  /** What the catalogue and the stores still say differently. */
  readonly differences: readonly Finding[]
  /** How many there are; of none, nobody can log in who may change anything. */
  readonly administrators: number
}

export interface RestoreOptions extends InspectOptions {
  /** A file, or `newest`; default: none is put back, because another tool did that (PostgreSQL). */
  readonly backup?: string | undefined
  /** Stores of other catalogues become this one's: of one that was rebuilt meanwhile, say. Default: they are unavailable. */
  readonly takesOver?: boolean | undefined
  /** Of stores that are known: what the settings say now. Default: what is known. */
  readonly overwriteStores?: boolean | undefined
}

/**
 * The way back after a catalogue was lost or damaged (reliability 8.17): a backup in its place, what its intents began ended,
 * what the stores' trails know since taken over, and then both compared.
 */
export async function restoreCatalogue(options: RestoreOptions): Promise<RestoreReport> {
  const { backup, replaced } = await putBack(options)
  const takenOver: string[] = []
  await using ground = await openGround({
    ...options,
    takenOver: options.takesOver ? takenOver : undefined,
    isPutBack: true,
    overwrite: options.overwriteStores,
  })
  const { catalogue, stores } = ground
  await endIntents(ground, options)
  const replayed = await replay({ catalogue, stores, signal: options.signal })
  const differences: Finding[] = []
  for (const site of stores.all) differences.push(...(await reconcile(site, catalogue, options.signal)))
  const { added, removed, problems } = replayed
  const detail = { added, removed, problems: problems.length, differences: differences.length }
  const actor = options.settings.name
  await catalogue.audit.append({ actor, action: 'restore', subject: backup ?? 'catalogue', detail })
  const administrators = await catalogue.accounts.countAdmins()
  return { backup, replaced, ...replayed, takenOver, differences, administrators }
}

async function putBack({ settings, backup }: RestoreOptions): Promise<Pick<RestoreReport, 'backup' | 'replaced'>> {
  if (backup === undefined) return { backup, replaced: undefined }
  const { catalogue, backups } = settings
  if (catalogue.engine !== 'sqlite') {
    throw new LibrarianError('Configuration', 'Cannot restore: this catalogue is in PostgreSQL', {
      remedy: 'Restore it with its own tools (pg_restore), then run arriero serve --replay.',
    })
  }
  const file = backup === 'newest' ? (await listBackups(backups.directory))[0]?.path : backup
  if (file === undefined) {
    throw new LibrarianError('Configuration', `Cannot restore: there is no backup in ${backups.directory}`, {
      remedy: 'Mount the disk of the backups, or name a file with --restore; without any, use --rebuild.',
    })
  }
  const wrong = await digestProblem(file)
  if (wrong !== undefined)
    throw new LibrarianError('Configuration', `Cannot restore ${file}: ${wrong}`, {
      remedy: 'Check the path, or name another backup with --restore.',
    })
  const stamp = new Date(systemClock.wallNow()).toISOString().replace(/[-:]/g, '')
  return { backup: file, replaced: restoreFile({ backup: file, path: catalogue.path, stamp }) }
}

async function endIntents({ catalogue, stores }: InspectedGround, { settings, log }: InspectOptions): Promise<void> {
  const alarms = createAlarms({ catalogue, log })
  const services = createCommitServices({ catalogue, stores, alarms, clock: systemClock, log, settings })
  try {
    await services.recover()
  } finally {
    await services.close()
  }
}

/** How the backups of a librarian's catalogue stand; undefined where it makes none. A server may run meanwhile. */
export async function inspectBackups({ settings }: Pick<InspectOptions, 'settings'>): Promise<BackupState | undefined> {
  if (settings.catalogue.engine !== 'sqlite') return undefined
  return await describeBackups(settings.backups, systemClock)
}

/** Who has the catalogue to himself, in words; undefined: nobody, or it is one for many. Changes nothing. */
export function inspectOwner({ settings: { catalogue } }: Pick<InspectOptions, 'settings'>): string | undefined {
  return catalogue.engine === 'sqlite' ? ownerNow(catalogue.path) : undefined
}

interface InspectedGround extends AsyncDisposable {
  readonly catalogue: Catalogue
  readonly stores: Stores
}

interface GroundOptions extends InspectOptions {
  readonly isOnlyLooking?: boolean
  /** Stores of other catalogues are taken over, and their names go here. Default: they are unavailable. */
  readonly takenOver?: string[] | undefined
  /** As of `openStores`. */
  readonly isPutBack?: boolean
  readonly overwrite?: boolean | undefined
  /** Refused before any store is touched. */
  readonly mustBeEmpty?: boolean
}

async function openGround(options: GroundOptions): Promise<InspectedGround> {
  const catalogue = await openCatalogueOf(options.settings, options.log, options.isOnlyLooking)
  try {
    if (options.mustBeEmpty) await refuseFilled(catalogue)
    const stores = await openStoresOf(catalogue, options)
    const dispose = async () => {
      await stores[Symbol.asyncDispose]()
      await catalogue.close()
    }
    return { catalogue, stores, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await catalogue.close()
    throw error
  }
}

function openCatalogueOf({ catalogue: where }: Settings, log: Log, mustExist?: boolean): Promise<Catalogue> {
  return openCatalogue({ url: where.engine === 'sqlite' ? where.path : where.url.reveal(), log, mustExist })
}

function openStoresOf(
  catalogue: Catalogue,
  { settings, log, isOnlyLooking, takenOver, isPutBack, overwrite }: GroundOptions,
): Promise<Stores> {
  return openStores({
    settings,
    catalogue,
    openStore: (row, how) => openStore(row, { log, ...how }),
    place: cataloguePlace(settings),
    clock: systemClock,
    log,
    isOnlyLooking,
    isPutBack,
    overwrite,
    onTakeOver: takenOver && (store => takenOver.push(store)),
  })
}
