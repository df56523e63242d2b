/** The trash as an administrator sees it (reliability B2). */
import { type Instant, instantOf, LibrarianError, millisecondsOf } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Trash as TrashRow } from '../catalogue/operations/deletions.ts'
import { destroyedSeconds } from '../catalogue/operations/destroyed.ts'
import type { Stores } from '../stores/stores.ts'

export interface ListedTrash {
  readonly id: string
  readonly fileName: string
  readonly storeName: string
  readonly path: string
  readonly actor: string
  readonly reason: string
  readonly deletedTime: Instant
  readonly purgeTime: Instant
}

export interface TrashPage {
  readonly trash: readonly ListedTrash[]
  /** Undefined: there is no more. */
  readonly next: string | undefined
}

export interface TrashList {
  /** Oldest first. @throws LibrarianError `UnknownStore`, `NotFound` where `after` is no trash's id */
  list(page: { storeName?: string | undefined; after?: string | undefined; limit: number }): Promise<TrashPage>
}

export interface TrashListOptions {
  readonly catalogue: Pick<Catalogue, 'trash'>
  readonly stores: Pick<Stores, 'byId' | 'byName'>
  readonly purgeAfterSeconds: number
}

export function createTrashList({ catalogue, stores, purgeAfterSeconds }: TrashListOptions): TrashList {
  function shown({ id, file_name, store_id, path, actor, reason, trashed, destruction }: TrashRow): ListedTrash {
    const keptSeconds = destruction === null ? purgeAfterSeconds : Math.max(purgeAfterSeconds, destroyedSeconds)
    return {
      id,
      fileName: file_name,
      storeName: stores.byId(store_id)?.name ?? String(store_id),
      path,
      actor,
      reason,
      deletedTime: trashed,
      purgeTime: instantOf(new Date(millisecondsOf(trashed) + keptSeconds * 1000)),
    }
  }

  async function cursorOf(id: string | undefined) {
    if (id === undefined) return undefined
    const row = await catalogue.trash.get({ id })
    if (row) return { trashed: row.trashed, id }
    throw new LibrarianError('NotFound', `Cannot list the trash after ${id}: there is no such thing in it`)
  }

  return {
    async list({ storeName, after, limit }) {
      const storeId = storeName === undefined ? undefined : stores.byName(storeName)?.id
      if (storeName !== undefined && storeId === undefined) {
        throw new LibrarianError('UnknownStore', `Cannot list the trash of ${storeName}: there is no such store`)
      }
      const rows = await catalogue.trash.list({ storeId, after: await cursorOf(after), limit: limit + 1 })
      const page = rows.slice(0, limit)
      return { trash: page.map(shown), next: rows.length > limit ? page.at(-1)?.id : undefined }
    },
  }
}
