/** Receivers report what they keep of ours; operators see what is on its way out. */
import { type AnswerInput, endpoints } from '@arriero/api'
import type { OutgoingTransfer } from '../catalogue/operations/outgoing-states.ts'
import type { KeptClones } from '../services/sending/kept-clones.ts'
import { type Route, route } from './route.ts'

const { clone, transfers } = endpoints

export interface KeptCloneRoutesOptions {
  readonly clones: KeptClones
  /** Most results of a search. */
  readonly maxResults: number
}

export function keptCloneRoutes({ clones, maxResults }: KeptCloneRoutesOptions): Route[] {
  return [
    route(clone.complete, async ({ source_transfer_id, destination_transfer_id, store_id }, { caller }) => {
      const kept = { id: source_transfer_id, remoteId: destination_transfer_id, storeId: store_id }
      await clones.complete(kept, caller)
      return { source_transfer_id, destination_transfer_id }
    }),

    route(clone.completeMany, async ({ transfers: reported }, { caller }) => {
      const kept = reported.map(each => ({
        id: each.source_transfer_id,
        remoteId: each.destination_transfer_id,
        storeId: each.store_id,
      }))
      const { completed, refused } = await clones.completeMany(kept, caller)
      return {
        completed: [...completed],
        refused: refused.map(({ id, reason }) => ({ source_transfer_id: id, reason })),
      }
    }),

    route(transfers.outgoing, async request => {
      const limit = Math.max(0, Math.min(request.max_results, maxResults))
      const found = await clones.list({
        statuses: request.statuses ?? undefined,
        destination: request.destination ?? undefined,
        name: request.file_name ?? undefined,
        window: request.start_time_window ?? undefined,
        after: request.after ?? undefined,
        limit: limit + 1,
      })
      const page = found.slice(0, limit)
      return { transfers: page.map(told), next: found.length > limit ? (page.at(-1)?.id ?? null) : null }
    }),
  ]
}

function told(transfer: OutgoingTransfer): AnswerInput<typeof transfers.outgoing>['transfers'][number] {
  return {
    transfer_id: transfer.id,
    status: transfer.status,
    destination: transfer.destination,
    file_name: transfer.file_name,
    transfer_size: transfer.transfer_size,
    transfer_checksum: transfer.transfer_checksum,
    transfer_provider_name: transfer.transfer_manager_name,
    start_time: transfer.start_time,
    end_time: transfer.end_time,
    remote_transfer_id: transfer.remote_transfer_id,
    send_queue_id: transfer.send_queue_id,
    reason: transfer.reason,
  }
}
