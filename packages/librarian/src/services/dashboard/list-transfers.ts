/** Transfers page by page: whoever asks for the same page at the same time shares one look with the others. */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { PagedTransfer, TransferFilter } from '../../catalogue/operations/transfer-pages.ts'
import type { TransferStatus } from '../../catalogue/schema.ts'
import { createSharedLooks } from '../../shared-look.ts'

export interface TransferPage extends TransferFilter {
  /** The last number of the page before. */
  readonly before?: number | undefined
  readonly limit: number
}

export interface ListedTransfers {
  /** Whatever the page's state: all that are open, and those of the last day that have ended. */
  readonly counts: Readonly<Partial<Record<TransferStatus, number>>>
  readonly transfers: readonly PagedTransfer[]
  readonly hasMore: boolean
}

/** What was seen is never older than the question. */
export type ListTransfers = (page: TransferPage) => Promise<ListedTransfers>

export interface ListTransfersOptions {
  readonly catalogue: { readonly transferPages: Pick<Catalogue['transferPages'], 'list' | 'counts'> }
}

export function createListTransfers({ catalogue: { transferPages } }: ListTransfersOptions): ListTransfers {
  const look = createSharedLooks(async key => {
    const { limit, ...page } = JSON.parse(key) as TransferPage
    const [counts, rows] = await Promise.all([
      transferPages.counts({ direction: page.direction, other: page.other }),
      transferPages.list({ ...page, limit: limit + 1 }),
    ])
    return { counts, transfers: rows.slice(0, limit), hasMore: rows.length > limit }
  })
  return ({ direction, status, other, before, limit }) =>
    look(JSON.stringify({ direction, status, other, before, limit } satisfies TransferPage))
}
