/** A librarian without its wire: catalogue and stores in memory, with the services around a commit. */
import { randomBytes } from 'node:crypto'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import { type Clock, systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import type { Caller } from '../src/routes/route.ts'
import type { Alarm } from '../src/services/alarms.ts'
import { httpProvider } from '../src/services/byte-uploads/provider.ts'
import { holdBytes, type WriteTurns } from '../src/services/byte-uploads/write-turns.ts'
import { Writers } from '../src/services/byte-uploads/writers.ts'
import type { Commits } from '../src/services/commit/commits.ts'
import { type CommitLimits, createCommits } from '../src/services/commit/create-commits.ts'
import { createDiskTrouble } from '../src/services/commit/disk-trouble.ts'
import type { Presence } from '../src/services/presence.ts'
import { createRecovery, type Recovery } from '../src/services/recovery/create-recovery.ts'
import { createUploads } from '../src/services/uploads/create-uploads.ts'
import type { Uploads } from '../src/services/uploads/uploads.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { describeContent, type MemoryContent } from '../src/stores/memory-content.ts'
import type { Store } from '../src/stores/store.ts'
import type { SiteStore, Stores } from '../src/stores/stores.ts'
import { operations } from './trial-operations.ts'

export const ada: Caller = { name: 'ada', level: 'READAPPEND' }
export const ben: Caller = { name: 'ben', level: 'READAPPEND' }

export interface WorldOptions {
  /** What outlives processes; default: a new catalogue and one store. */
  readonly ground?: WorldGround
  /** Around what the services see of the catalogue. */
  readonly wrapCatalogue?: (catalogue: Catalogue) => Catalogue
  readonly wrapStore?: (store: Store) => Store
  /** Processes that others take for dead. */
  readonly dead?: ReadonlySet<string>
  readonly clock?: Clock
  readonly limits?: Partial<CommitLimits>
  /** Of who wants to write bytes that another request writes; ms. */
  readonly patienceMs?: number
}

export interface WorldGround {
  readonly catalogue: Catalogue
  readonly stores: readonly MemoryStore[]
}

/** One process. */
export interface World {
  readonly ground: WorldGround
  readonly holder: string
  readonly stores: Stores
  readonly commits: Commits
  readonly recovery: Recovery
  readonly uploads: Uploads
  readonly turns: WriteTurns
  readonly alarms: Alarm[]
  readonly store: MemoryStore
  /** Announces an upload and puts its bytes where they belong. */
  stage(name: string, content: MemoryContent, options?: StageOptions): Promise<number>
  /** All of an upload. */
  upload(name: string, content: MemoryContent, options?: StageOptions): Promise<number>
  commit(transferId: number, caller?: Caller): Promise<{ readonly outcome: 'committed' | 'same' }>
}

export interface StageOptions {
  readonly caller?: Caller
  /** Instead of the right one. */
  readonly checksum?: string
  /** What is put there; default: what is announced. */
  readonly bytes?: MemoryContent
}

export async function newGround(names: readonly string[] = ['main']): Promise<WorldGround> {
  const catalogue = await openMemoryCatalogue({ registry: operations })
  await catalogue.stores.synchronise({
    stores: names.map(name => ({ name, ingestable: true, type: 'local', data: {}, transferManagers: {} })),
  })
  return { catalogue, stores: names.map(name => new MemoryStore({ name })) }
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const ground = options.ground ?? (await newGround())
  const catalogue = options.wrapCatalogue?.(ground.catalogue) ?? ground.catalogue
  const stores = siteStores(ground.stores, options.wrapStore)
  const holder = `process-${randomBytes(4).toString('hex')}`
  const clock = options.clock ?? systemClock
  const collected: Alarm[] = []
  const alarms = { raise: async (alarm: Alarm) => void collected.push(alarm) }
  const presence: Presence = {
    holder,
    start: async () => {},
    gone: async holders => new Set(holders.filter(other => options.dead?.has(other))),
    isDead: other => options.dead?.has(other) ?? false,
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
  const disableStore = (name: string) => catalogue.stores.setEnabled({ name, enabled: false })
  const recovery: Recovery = createRecovery({
    catalogue,
    stores,
    presence,
    alarms,
    clock,
    log: silentLog,
    by: 'here',
    isWorkingOn: id => commits.isWorkingOn(id),
  })
  const commits: Commits = createCommits({
    catalogue,
    alarms,
    log: silentLog,
    holder,
    by: 'here',
    leave: recovery.leave,
    diskTrouble: createDiskTrouble({ clock, alarms, disableStore }),
    ...(options.limits ? { limits: options.limits } : {}),
  })
  const turns: WriteTurns = { writers: new Writers({ patienceMs: options.patienceMs }) }
  const uploads = createUploads({
    catalogue,
    stores,
    commits,
    alarms,
    log: silentLog,
    maximalSize: 1 << 30,
    providers: [httpProvider],
    recoverTransfer: recovery.recoverTransfer,
    holdBytes: token => holdBytes(turns, token),
  })
  const hands = handsOf(uploads, ground)
  return {
    ground,
    holder,
    stores,
    commits,
    recovery,
    uploads,
    turns,
    alarms: collected,
    store: ground.stores[0]!,
    ...hands,
  }
}

function handsOf(uploads: Uploads, ground: WorldGround): Pick<World, 'stage' | 'upload' | 'commit'> {
  const stage: World['stage'] = async (name, content, { caller = ada, bytes = content, ...given } = {}) => {
    const { size, checksum } = await describeContent(content, given.checksum)
    const uploadName = name.slice(name.lastIndexOf('/') + 1)
    const staged = await uploads.stage(
      { size, checksum: given.checksum ?? checksum, uploadName, name, uploader: caller.name },
      caller,
    )
    const store = ground.stores.find(other => other.name === staged.store.name)!
    store.stage(staged.stagingName, uploadName, bytes)
    return staged.transfer.id
  }
  const commit: World['commit'] = (transferId, caller = ada) =>
    uploads.commit({ transferId, deletionPolicy: 'DISALLOWED', provider: 'local' }, caller)
  const upload: World['upload'] = async (name, content, options) => {
    const id = await stage(name, content, options)
    await commit(id, options?.caller)
    return id
  }
  return { stage, commit, upload }
}

function siteStores(stores: readonly MemoryStore[], wrap: (store: Store) => Store = store => store): Stores {
  const all: SiteStore[] = stores.map((store, index) => ({
    id: index + 1,
    name: store.name,
    store: wrap(store),
    ingestable: true,
    transferManagers: { local: { available: true, hostnames: ['here'] } },
    asyncTransferManagers: { local: { available: true, hostnames: ['here'] } },
  }))
  return {
    all,
    byName: name => all.find(site => site.name === name),
    byId: id => all.find(site => site.id === id),
    async [Symbol.asyncDispose]() {},
  }
}

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}
