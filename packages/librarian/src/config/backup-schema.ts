import { z } from 'zod'
import { duration } from './duration.ts'
import { int } from './values.ts'

const hour = 3_600_000

/** Of the catalogue in a file; PostgreSQL has tools of its own. */
export const backupSchema = z.strictObject({
  directory: z.string().min(1).nullable().default(null),
  every: duration.pipe(z.number().min(1000)).nullable().default(hour),
  keep: int.pipe(z.int().min(2)).default(48),
  restore_every: duration.pipe(z.number().min(1000)).default(24 * hour),
  check_every: duration.pipe(z.number().min(1000)).default(7 * 24 * hour),
})
