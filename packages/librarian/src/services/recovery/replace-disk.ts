/**
 * The disk of a store is lost for good, and an empty one is mounted in its place. Nothing but a person knows that: a disk that
 * is not mounted looks the same, and an empty place must not become a store by itself (reliability B4).
 */
import { readdir } from 'node:fs/promises'
import { type Instant, instantOf, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Clock } from '../../clock.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { Stores } from '../../stores/stores.ts'
import { commitLineOf } from '../commit/commit-line.ts'

export interface ReplaceDiskOptions {
  readonly catalogue: Pick<Catalogue, 'stores' | 'instances' | 'rebuilding'>
  readonly openStores: () => Promise<Stores>
  /** Name of the store. */
  readonly store: string
  /** Our own `name`, for proofs and audit. */
  readonly by: string
  readonly clock: Clock
}

/**
 * From now on every copy of the store is missing, and what is mounted there is the store. Its trail says what must be on it, so
 * that the catalogue could be made of it again; repairs bring the copies back. The lost disk is another one, should it turn up.
 *
 * @returns how many copies were on the lost disk
 * @throws LibrarianError `UnknownStore`; `Conflict` where the store's own disk is there; `Configuration` where the place is not
 * there, or is not empty
 */
export async function replaceDisk(options: ReplaceDiskOptions): Promise<number> {
  const { catalogue, store, by } = options
  const { id, path, lost } = await findLost(options)
  await mustBeEmpty(path, store)
  const act = { actor: by, action: 'replace disk', subject: store, detail: { path, lost } }
  const copies = await catalogue.stores.loseDisk({ id, by, act })
  await writeTrail(options)
  return copies
}

async function findLost({ catalogue, openStores, store }: ReplaceDiskOptions) {
  const row = await catalogue.stores.find({ name: store })
  await using stores = await openStores()
  const site = stores.byName(store)
  if (!row || !site) throw new LibrarianError('UnknownStore', `${cannot(store)}: there is no such store`)
  const { store_path: path } = row.data
  if (row.type !== 'local' || typeof path !== 'string') {
    const message = `${cannot(store)}: only a local store is on a disk, and it is of type ${row.type}`
    throw new LibrarianError('Configuration', message)
  }
  if ((await site.store.state()).available) {
    throw new LibrarianError('Conflict', `${cannot(store)}: its own disk is there, at ${path}`, {
      remedy: 'Where copies on it are damaged, use arriero repair.',
    })
  }
  return { id: row.id, path, lost: row.uuid ?? null }
}

/** The line of each copy, as when it was committed. Killed meanwhile: what has no line is read by a rebuild. */
async function writeTrail({ catalogue, openStores, store, clock }: ReplaceDiskOptions): Promise<void> {
  await using stores = await openStores()
  const site = stores.byName(store)!
  const time = instantOf(new Date(clock.wallNow()))
  for (let after = 0; ; ) {
    const page = await catalogue.instances.onStore({ storeId: site.id, after, limit: PAGE })
    if (page.length === 0) return
    after = page.at(-1)!.id
    const orders = await catalogue.rebuilding.takeOrders({ count: page.length })
    const lines = page.map(async (copy, at) => await lineOf(copy, orders[at]!, time, catalogue))
    await site.store.appendTrail(await Promise.all(lines))
  }
}

const PAGE = 500

type Copy = Awaited<ReturnType<Catalogue['instances']['onStore']>>[number]

async function lineOf(
  { file, deletion_policy }: Copy,
  order: number,
  time: Instant,
  { instances }: Pick<Catalogue, 'instances'>,
): Promise<TrailRecord> {
  const manifest = file.kind === 'tree' ? await instances.treeOf({ name: file.name }) : undefined
  return commitLineOf(file, { order, time, is_attested: file.is_attested === 1, deletion_policy, manifest })
}

function cannot(store: string): string {
  return `Cannot replace the disk of ${store}`
}

/** But for what a fresh file system has. */
async function mustBeEmpty(path: string, store: string): Promise<void> {
  const remedy = 'Mount the new, empty disk there, so that this user may write to it; then say the same again.'
  const names = await readdir(path).catch(cause => {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new LibrarianError('Configuration', `${cannot(store)}: ${path} must be an empty directory, got ${why}`, {
      cause,
      remedy,
    })
  })
  const other = names.find(name => name !== 'lost+found')
  if (other === undefined) return
  throw new LibrarianError('Configuration', `${cannot(store)}: ${path} must be empty, and ${other} is in it`, {
    remedy,
  })
}
