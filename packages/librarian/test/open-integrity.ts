/** The services around proofs, over whatever catalogue and stores: of one process, which others may take for dead. */
import { randomBytes } from 'node:crypto'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import { systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import type { Alarm } from '../src/services/alarms.ts'
import { createCopyReader } from '../src/services/copies/read-copies.ts'
import { createRepair } from '../src/services/repair/create-repair.ts'
import type { Upstream } from '../src/services/repair/upstream.ts'
import { createScrub } from '../src/services/scrub/scrub.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { describeContent, type MemoryContent } from '../src/stores/memory-content.ts'
import type { Publication, Store } from '../src/stores/store.ts'
import type { SiteStore, Stores } from '../src/stores/stores.ts'

export interface IntegrityOptions {
  readonly catalogue: Catalogue
  readonly stores: readonly Store[]
  readonly wrapCatalogue?: (catalogue: Catalogue) => Catalogue
  readonly wrapStore?: (store: Store) => Store
  readonly dead?: ReadonlySet<string>
  readonly upstream?: Upstream
  readonly keepSeconds?: number
  readonly isOverdue?: () => boolean
}

/** Nobody else has anything. */
export const nobody: Upstream = {
  candidates: async () => [],
  canFetch: async () => false,
  // biome-ignore lint/correctness/useYield: there is nothing
  async *fetch() {
    throw new Error('there is nobody')
  },
  askToSend: async () => {
    throw new Error('there is nobody')
  },
}

export function openIntegrity(options: IntegrityOptions) {
  const { wrapStore = store => store, dead = new Set<string>() } = options
  const catalogue = options.wrapCatalogue?.(options.catalogue) ?? options.catalogue
  const all: SiteStore[] = options.stores.map((store, at) => ({
    id: at + 1,
    name: store.name,
    store: wrapStore(store),
    ingestable: true,
    transferManagers: {},
  }))
  const stores: Stores = {
    all,
    byName: name => all.find(site => site.name === name),
    byId: id => all.find(site => site.id === id),
    async [Symbol.asyncDispose]() {},
  }
  const raised: Alarm[] = []
  const alarms = {
    raise: async (alarm: Alarm) => {
      raised.push(alarm)
      await options.catalogue.errors.raise(alarm)
    },
  }
  const holder = `process-${randomBytes(4).toString('hex')}`
  const presence = { holder, gone: async (of: readonly string[]) => new Set(of.filter(one => dead.has(one))) }
  const shared = { catalogue, stores, alarms, log: silentLog, by: 'here' }
  const reader = createCopyReader({ ...shared, atOnce: 4 })
  const upstream = options.upstream ?? nobody
  const { keepSeconds } = options
  const repair = createRepair({ ...shared, reader, presence, upstream, random: randomBytes, keepSeconds })
  const scrub = createScrub({ ...shared, reader, clock: systemClock, atOnce: 3 })
  const signal = new AbortController().signal
  const run = { signal, isOverdue: options.isOverdue ?? (() => false), progress: () => {} }
  return {
    catalogue: options.catalogue,
    stores,
    reader,
    repair,
    scrub,
    holder,
    raised,
    run,
    /** Everything on a store, whenever it was read last. */
    scrubAll: async (storeName: string) =>
      await scrub.scrub({ storeName, periodMs: 0, bytesPerSecond: undefined }, run),
    repairAll: () => repair.repairAll({ actor: 'task:repair', ...run }),
    copiesOf: async (name: string) => (await options.catalogue.instances.ofFile({ name }))!.instances,
    /** By store. */
    statesOf: async (name: string) =>
      (await options.catalogue.instances.ofFile({ name }))!.instances.map(({ state }) => state),
  }
}

/** A catalogue that knows these stores. */
export async function catalogueOf(names: readonly string[]): Promise<Catalogue> {
  const catalogue = await openMemoryCatalogue()
  await catalogue.stores.synchronise({
    stores: names.map(name => ({ name, ingestable: true, type: 'local', data: {}, transferManagers: {} })),
  })
  return catalogue
}

export async function memoryGround(names: readonly string[] = ['main', 'second']) {
  return { catalogue: await catalogueOf(names), stores: names.map(name => new MemoryStore({ name })) }
}

export interface Kept {
  readonly publication: Pick<Publication, 'name' | 'kind' | 'size' | 'sha256'>
  readonly checksum: string
  readonly manifest: string | undefined
  readonly storeIds: readonly number[]
  readonly pathOf: (storeId: number) => string
  readonly source?: string
  /** As files of another librarian's database: nobody has computed a SHA-256. */
  readonly isUndigested?: boolean
}

/** Rows of what stores hold already. */
export async function register(catalogue: Catalogue, kept: readonly Kept[]): Promise<void> {
  for (const id of new Set(kept.flatMap(({ storeIds }) => storeIds))) {
    const here = kept.filter(({ storeIds }) => storeIds.includes(id))
    const outcomes = await catalogue.rebuilding.register({
      files: here.map(({ publication, checksum, manifest, pathOf, source = 'far', isUndigested = false }) => ({
        name: publication.name,
        kind: publication.kind,
        size: publication.size,
        checksum,
        sha256: isUndigested ? null : publication.sha256,
        isAttested: true,
        createTime: '2026-01-01T00:00:00.000000Z',
        uploader: 'ada',
        source,
        firstUploader: null,
        manifest: isUndigested ? undefined : manifest,
        copy: {
          storeId: id,
          path: pathOf(id),
          available: true,
          state: 'ok' as const,
          deletionPolicy: 'DISALLOWED' as const,
        },
      })),
    })
    const failed = outcomes.find(({ outcome }) => outcome !== 'file' && outcome !== 'copy')
    if (failed) throw new Error(JSON.stringify(failed))
  }
}

export interface MemoryGround {
  readonly catalogue: Catalogue
  readonly stores: readonly MemoryStore[]
}

/** The same bytes on memory stores, and their rows. */
export async function keep(
  ground: MemoryGround,
  name: string,
  content: MemoryContent,
  options: Parameters<typeof place>[3] = {},
): Promise<Kept> {
  const kept = await place(ground, name, content, options)
  await register(ground.catalogue, [kept])
  return kept
}

/** Without rows. */
export async function place(
  { stores }: Pick<MemoryGround, 'stores'>,
  name: string,
  content: MemoryContent,
  { source, isUndigested = false }: { source?: string; isUndigested?: boolean } = {},
): Promise<Kept> {
  const { checksum, manifest, ...rest } = await describeContent(content, undefined)
  for (const store of stores) store.damage(name, content)
  return {
    publication: { name, ...rest },
    checksum,
    manifest,
    storeIds: stores.map((_, at) => at + 1),
    pathOf: id => stores[id - 1]!.pathOf(name),
    ...(source === undefined ? {} : { source }),
    isUndigested,
  }
}
