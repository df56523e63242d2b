/**
 * The disk of a store is lost for good, and an empty one is mounted in its place. Nothing but a person knows that: a disk that
 * is not mounted looks the same, and an empty place must not become a store by itself (reliability B4).
 */
import { readdir } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Stores } from '../../stores/stores.ts'

export interface ReplaceDiskOptions {
  readonly catalogue: Pick<Catalogue, 'stores'>
  readonly stores: Pick<Stores, 'byName'>
  /** Name of the store. */
  readonly store: string
  /** Our own `name`, for proofs and audit. */
  readonly by: string
}

/**
 * From now on every copy of the store is missing, and whoever opens the store next makes a store of what is there. Repairs
 * bring the copies back. The lost disk is another one, should it turn up.
 *
 * @returns how many copies were on the lost disk
 * @throws LibrarianError `UnknownStore`; `Conflict` where the store's own disk is there; `Configuration` where the place is not
 * there, or is not empty
 */
export async function replaceDisk({ catalogue, stores, store, by }: ReplaceDiskOptions): Promise<number> {
  const what = `Cannot replace the disk of ${store}`
  const row = await catalogue.stores.find({ name: store })
  const site = stores.byName(store)
  if (!row || !site) throw new LibrarianError('UnknownStore', `${what}: there is no such store`)
  const { store_path: path } = row.data
  if (row.type !== 'local' || typeof path !== 'string')
    throw new LibrarianError('Configuration', `${what}: only a local store is on a disk, and it is of type ${row.type}`)
  const state = await site.store.state()
  if (state.available) {
    throw new LibrarianError('Conflict', `${what}: its own disk is there, at ${path}`, {
      remedy: 'Where copies on it are damaged, use arriero repair.',
    })
  }
  await mustBeEmpty(path, what)
  const act = { actor: by, action: 'replace disk', subject: store, detail: { path, lost: row.uuid ?? null } }
  return await catalogue.stores.loseDisk({ id: row.id, by, act })
}

/** But for what a fresh file system has. */
async function mustBeEmpty(path: string, what: string): Promise<void> {
  const remedy = 'Mount the new, empty disk there, so that this user may write to it; then say the same again.'
  const names = await readdir(path).catch(cause => {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new LibrarianError('Configuration', `${what}: ${path} must be an empty directory, got ${why}`, {
      cause,
      remedy,
    })
  })
  const other = names.find(name => name !== 'lost+found')
  if (other === undefined) return
  throw new LibrarianError('Configuration', `${what}: ${path} must be empty, and ${other} is in it`, { remedy })
}
