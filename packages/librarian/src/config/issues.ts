/** What a schema objects to, in one line and without the values, which may be secrets. */
import type { z } from 'zod'

export function issuesOf(error: z.ZodError): string {
  return error.issues
    .map(issue => {
      const where = issue.path.map(String).join('.')
      const what = issue.code === 'unrecognized_keys' ? `unknown: ${issue.keys.join(', ')}` : issue.message
      return where === '' ? what : `${where}: ${what}`
    })
    .join('; ')
}
