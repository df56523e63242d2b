import { z } from 'zod'
import { duration } from './duration.ts'

/** Whom severe lines of the log are sent to, beside Slack. */
export const notificationSchema = z.strictObject({
  url: z.string().nullable().default(null),
  url_file: z.string().nullable().default(null),
  token_file: z.string().nullable().default(null),
  level: z.string().default('ERROR'),
  window: duration.pipe(z.number().min(1000)).default(5 * 60_000),
})
