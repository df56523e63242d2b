/** Comparing copies with what was recorded (librarian 10.9). */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { boolean, text } from '../values/lax.ts'

export const validate = {
  file: endpoint({
    path: 'validate/file',
    level: 'READONLY',
    summary: 'Check all copies of a file, here and downstream.',
    request: z.object({
      file_name: text,
      /** Ours: librarians that have asked already, by their names: none of them is asked again. Others do not look at it. */
      via: z.array(text).max(100).optional(),
      /** Ours, from level CALLBACK on: the copies here alone, from the medium, and no earlier result. Others do not look at it. */
      fresh: boolean.optional(),
    }),
    answer: z.array(
      z.object({
        /** Its `name` setting. */
        librarian: z.string(),
        store: z.int(),
        /** Ours: what people call it. */
        store_name: z.string().optional(),
        instance_id: z.int(),
        original_checksum: z.string(),
        original_size: z.int(),
        current_checksum: z.string(),
        current_size: z.int(),
        computed_same_checksum: z.boolean(),
        /** Ours: when the bytes were read (reliability C1). */
        checked_time: z.string().optional(),
        /** Ours: `ok`, `mismatch` or `unreadable`; of a copy that could not be read, `current_checksum` is empty. */
        state: z.string().optional(),
        /** Ours: how it differs, of a tree in which members; or why it could not be read. */
        reason: z.string().optional(),
        /** Ours: librarians that this one knows to hold a copy, and that gave no answer: of their copies nothing is known. */
        unreachable: z.array(z.string()).optional(),
        /** Ours, with the first copy: those that are known and are no entry, since their bytes are not there (`missing`, `unavailable`). */
        absent: z
          .array(
            z.object({
              librarian: z.string(),
              store: z.int(),
              store_name: z.string().optional(),
              instance_id: z.int(),
              state: z.string(),
              reason: z.string().optional(),
            }),
          )
          .optional(),
      }),
    ),
    failures: {
      NotFound: { status: 400, reason: 'This file does not exist in the librarian.' },
      /** As later releases answer it (librarian 17). */
      PeerUnreachable: { status: 503 },
    },
    mutates: false,
  }),
}
