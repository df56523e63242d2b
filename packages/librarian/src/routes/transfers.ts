/** What is on its way in: ours. */
import { type AnswerInput, endpoints } from '@arriero/api'
import type { IncomingTransfer } from '../catalogue/operations/uploads.ts'
import type { Uploads } from '../services/uploads/uploads.ts'
import type { Stores } from '../stores/stores.ts'
import { type Route, route } from './route.ts'

const { transfers } = endpoints

export interface TransferRoutesOptions {
  readonly uploads: Uploads
  readonly stores: Pick<Stores, 'byId'>
  /** Most results of a search. */
  readonly maxResults: number
}

export function transferRoutes({ uploads, stores, maxResults }: TransferRoutesOptions): Route[] {
  const told = (transfer: IncomingTransfer) => tellTransfer(transfer, stores)
  return [
    route(transfers.list, async (request, { caller }) => {
      const limit = Math.max(0, Math.min(request.max_results, maxResults))
      const found = await uploads.list(
        {
          statuses: request.statuses ?? undefined,
          uploader: request.uploader ?? undefined,
          source: request.source ?? undefined,
          name: request.destination_location ?? undefined,
          window: request.start_time_window ?? undefined,
          after: request.after ?? undefined,
          limit: limit + 1,
        },
        caller,
      )
      const page = found.slice(0, limit)
      return { transfers: page.map(told), next: found.length > limit ? (page.at(-1)?.id ?? null) : null }
    }),
    route(transfers.get, async ({ transfer_id }, { caller }) => told(await uploads.get(transfer_id, caller))),
  ]
}

function tellTransfer(transfer: IncomingTransfer, stores: Pick<Stores, 'byId'>): AnswerInput<typeof transfers.get> {
  return {
    transfer_id: transfer.id,
    status: transfer.status,
    uploader: transfer.uploader,
    source: transfer.source,
    upload_name: transfer.upload_name,
    destination_location: transfer.store_path,
    transfer_size: transfer.transfer_size,
    transfer_checksum: transfer.transfer_checksum,
    store_name: transfer.store_id === null ? null : (stores.byId(transfer.store_id)?.name ?? null),
    transfer_provider_name: transfer.transfer_manager_name,
    start_time: transfer.start_time,
    end_time: transfer.end_time,
    source_transfer_id: transfer.source_transfer_id,
    reason: transfer.reason,
  }
}
