/** What is on its way, as the dashboard shows it. */
import { z } from 'zod'
import { naive } from '../../values/lax.ts'

/** As people read them; on the rest of the wire they are numbers. */
export const transferState = z.enum(['INITIATED', 'ONGOING', 'STAGED', 'COMPLETED', 'FAILED', 'CANCELLED'])

export const direction = z.enum(['in', 'out'])

export const transferRow = z.object({
  id: z.int(),
  file_name: z.string().nullable(),
  /** In: who sends it, a user or a librarian. Out: where it goes. */
  librarian_name: z.string(),
  state: transferState,
  size: z.int(),
  /** Null before a way was chosen. */
  method: z.string().nullable(),
  start_time: naive,
  /** When bytes were last seen to move; null: not known. */
  active_time: naive.nullable(),
  end_time: naive.nullable(),
  /** Why it failed. */
  reason: z.string().nullable(),
  /** Whether `dashboard/transfer_retry` may be asked for it. */
  may_retry: z.boolean(),
})

export const timelineEvent = z.object({
  time: naive,
  /** `started`, `queued`, `moving`, `active`, `moved`, `next-try`, `kept`, `completed`, `failed`, `cancelled`, `seen`. */
  what: z.string(),
  detail: z.string(),
})

export const transferAnswer = z.object({
  transfer: transferRow,
  /** Number at the other librarian; null: there is none yet. */
  remote_id: z.int().nullable(),
  /** Of an incoming one. */
  store_name: z.string().nullable(),
  checksum: z.string(),
  /** The batch in which an outgoing one is sent. */
  batch: z
    .object({ id: z.int(), files: z.int(), bytes: z.int(), retries: z.int(), next_time: naive.nullable() })
    .nullable(),
  timeline: z.array(timelineEvent),
})
