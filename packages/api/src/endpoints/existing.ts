/** What is kept under a name that an upload wanted, and how its copies stand: told beside the refusal, an addition of ours. */
import { z } from 'zod'
import { naive } from '../values/lax.ts'

/** A file that has the name already, with its copies and their state. */
export const existingFile = z.object({
  name: z.string(),
  kind: z.enum(['file', 'tree']),
  size: z.int(),
  checksum: z.string(),
  copies: z.array(
    z.object({
      /** The store’s name. */
      store: z.string(),
      /**
       * `ok`, `mismatch`, `missing`, `unreadable` or `never-checked`, as it was read last; of those that may be right, also
       * `withdrawn`, `disabled` with its store, or `unavailable` where its store’s disk is not there.
       */
      state: z.string(),
      /** Since when it is known to be bad. */
      since: naive.nullish(),
    }),
  ),
  /** Librarians that are known to hold it. */
  elsewhere: z.array(z.string()),
})

/** What `existingFile` gives. */
export type ExistingFile = z.output<typeof existingFile>
