/** How one item of a batch failed; its neighbours go their own way. */
import { z } from 'zod'
import { type ErrorCode, errorTable } from '../errors.ts'
import { existingFile } from './existing.ts'

/** Why one item of several was not done. */
export const outcomeFailure = z.object({
  success: z.literal(false),
  /** What the same call for this item alone would have answered. */
  status: z.int(),
  /** An error code of ours; one that this release does not know is `Internal`. */
  code: z.enum(Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]]).catch('Internal'),
  reason: z.string(),
  suggested_remedy: z.string(),
  /** What is kept under the name already. */
  existing: existingFile.nullish().catch(undefined),
})

/** What `outcomeFailure` gives. */
export type OutcomeFailure = z.output<typeof outcomeFailure>
