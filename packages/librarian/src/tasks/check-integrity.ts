/** Reads what was made lately (librarian 12.1); goes on where a run was stopped. */
import { z } from 'zod'
import type { ScrubCursor } from '../catalogue/operations/scrubbing.ts'
import type { Scrub } from '../services/scrub/scrub.ts'
import { roundResult } from './round-result.ts'
import { task } from './task.ts'

const cursorSchema = z.object({ time: z.string(), id: z.int() })

export function checkIntegrityTask(scrub: Pick<Scrub, 'checkRecent'>) {
  return task<'check_integrity'>({
    key: 'check_integrity',
    atOnce: 4,
    async run({ store_name: storeName, age_in_days: ageInDays }, context) {
      const after: ScrubCursor | undefined = cursorSchema.safeParse(context.cursor).data
      const recorded = (cursor: ScrubCursor) => context.keep(cursor)
      const report = await scrub.checkRecent({ storeName, ageInDays, after }, { ...context, recorded })
      if (report?.end === 'all') context.keep(undefined)
      return roundResult(storeName, report)
    },
  })
}
