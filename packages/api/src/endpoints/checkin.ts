/** Two librarians compare notes on transfers (librarian 10.4). */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { integer } from '../values/lax.ts'
import { transferStatus } from '../values/transfer-status.ts'

const ids = {
  /** Outgoing transfers of the librarian that is asked. */
  source_transfer_ids: z.array(integer),
  /** Its incoming transfers. */
  destination_transfer_ids: z.array(integer),
}

const status = z.record(z.string().regex(/^-?\d+$/), transferStatus.told.nullable())

export const checkin = {
  update: endpoint({
    path: 'checkin/update',
    level: 'CALLBACK',
    summary: 'Set the status of transfers, each judged on its own.',
    request: z.object({ ...ids, new_status: transferStatus.asked }),
    answer: z.object({
      modified_source_transfer_ids: z.array(z.int()),
      modified_destination_transfer_ids: z.array(z.int()),
      unmodified_source_transfer_ids: z.array(z.int()),
      unmodified_destination_transfer_ids: z.array(z.int()),
      reasons: z.array(z.string()),
    }),
    mutates: true,
  }),
  status: endpoint({
    path: 'checkin/status',
    level: 'CALLBACK',
    summary: 'Ask for the status of transfers; null where unknown or not the caller’s.',
    request: z.object(ids),
    answer: z.object({ source_transfer_status: status, destination_transfer_status: status }),
    mutates: false,
  }),
}
