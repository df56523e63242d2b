/** Ours: replacing damaged copies by good ones (reliability B5). */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { boolean, text } from '../values/lax.ts'

export const repair = {
  file: endpoint({
    path: 'repair/file',
    level: 'ADMIN',
    summary: 'Read all copies of a file, and replace each bad one by a good one; the bad bytes are kept.',
    request: z.object({
      file_name: text,
      /** Only says what would be done. */
      dry_run: boolean.default(false),
    }),
    answer: z.object({
      copies: z.array(
        z.object({
          instance_id: z.int(),
          store_name: z.string(),
          /** As the reading has found it. */
          state: z.string(),
          /** `good`, `repaired`, `repairable`, `requested`, `kept`: bad, and nothing was changed; `unavailable`. */
          outcome: z.enum(['good', 'repaired', 'repairable', 'requested', 'kept', 'unavailable']),
          /** Where the good bytes come from. */
          source: z.string().nullable(),
          /** Of the bad bytes, where they are kept. */
          quarantine_id: z.string().nullable(),
          reason: z.string().nullable(),
        }),
      ),
    }),
    mutates: true,
    isOurs: true,
  }),
}
