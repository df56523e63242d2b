/** Transfers as people watch them, one of them with its timeline, and trying one again. */
import { endpoints, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { ListTransfers } from '../../services/dashboard/list-transfers.ts'
import { timelineOf } from '../../services/dashboard/timeline.ts'
import type { Retry } from '../../services/sending/retry.ts'
import type { Stores } from '../../stores/stores.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { type Route, route } from '../route.ts'
import { numberCursor, transferAnswer } from './answers.ts'

const { dashboard } = endpoints

export interface DashboardTransferOptions {
  readonly listTransfers: ListTransfers
  readonly transferPages: Pick<Catalogue['transferPages'], 'find'>
  readonly stores: Pick<Stores, 'byId'>
  readonly retry: Retry
}

export function dashboardTransferRoutes(options: DashboardTransferOptions): Route[] {
  const { listTransfers, transferPages, stores, retry } = options
  return [
    route(dashboard.transfers, async ({ direction, state, librarian_name: other, limit, after }) => {
      const before = readCursor(after, numberCursor)
      const { counts, transfers, hasMore } = await listTransfers({ direction, status: state, other, before, limit })
      return {
        counts: { ...noCounts, ...counts },
        transfers: transfers.map(transfer => transferAnswer(transfer, direction)),
        more: hasMore,
        next: writeCursor(hasMore ? transfers.at(-1)?.id : undefined),
      }
    }),

    route(dashboard.transfer, async ({ direction, id }) => {
      const found = await transferPages.find({ direction, id })
      if (!found) throw new LibrarianError('NotFound', `There is no transfer ${id}`)
      const { transfer, batch } = found
      return {
        transfer: transferAnswer(transfer, direction),
        remote_id: transfer.remoteId,
        store_name: transfer.storeId === null ? null : (stores.byId(transfer.storeId)?.name ?? null),
        checksum: transfer.checksum,
        batch: batch
          ? { id: batch.id, files: batch.files, bytes: batch.bytes, retries: batch.retries, next_time: batch.nextTry }
          : null,
        timeline: timelineOf(transfer, batch),
      }
    }),

    route(dashboard.transferRetry, async ({ direction, id }, { signal, act }) => ({
      direction,
      id: await retry(id, { signal, act }),
    })),
  ]
}

const noCounts = { INITIATED: 0, ONGOING: 0, STAGED: 0, COMPLETED: 0, FAILED: 0, CANCELLED: 0 }
