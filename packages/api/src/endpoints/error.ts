/** Recorded errors (librarian 10.6); to find them is `search/error`. */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { errorCategory, errorSeverity } from '../values/error-kinds.ts'
import { integer, naive, text } from '../values/lax.ts'

export const error = {
  clear: endpoint({
    path: 'error/clear',
    level: 'ADMIN',
    summary: 'Mark a recorded error as dealt with.',
    request: z.object({ id: integer }),
    answer: z.object({ id: z.int(), cleared_time: naive, cleared: z.boolean() }),
    failures: {
      NotFound: { status: 404, reason: request => `No error found with ID ${request.id}.` },
      Conflict: { status: 400, reason: request => `Error with ID ${request.id} has been cleared already.` },
    },
    mutates: true,
  }),
  raise: endpoint({
    path: 'error/raise',
    level: 'ADMIN',
    summary: 'Record an error by hand; the caller is whoever asks.',
    request: z.object({ severity: errorSeverity, category: errorCategory, message: text.min(1).max(10_000) }),
    answer: z.object({ id: z.int(), raised_time: naive }),
    status: 201,
    mutates: true,
    isOurs: true,
  }),
}
