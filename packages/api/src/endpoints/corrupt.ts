/** Repair of a downstream copy, asked for by the downstream librarian (librarian 10.10). */
import { z } from 'zod'
import { endpoint, type Failures } from '../endpoint.ts'
import { text } from '../values/lax.ts'

const request = z.object({ file_name: text, librarian_name: text })

const failures = {
  UnknownLibrarian: { status: 401 },
  NotYours: { status: 401 },
  NotFound: { status: 409 },
  Conflict: { status: 409 },
  Mismatch: { status: 409 },
  PeerUnreachable: { status: 409 },
  Configuration: { status: 409 },
} as const satisfies Failures

export const corrupt = {
  prepare: endpoint({
    path: 'corrupt/prepare',
    level: 'CALLBACK',
    summary: 'Ask whether a good copy could be sent again.',
    request,
    answer: z.object({ ready: z.boolean() }),
    shape: 'detail',
    failures,
    mutates: false,
  }),
  resend: endpoint({
    path: 'corrupt/resend',
    level: 'CALLBACK',
    summary: 'Have a good copy sent again.',
    request,
    answer: z.object({ success: z.boolean(), destination_transfer_id: z.int() }),
    shape: 'detail',
    failures,
    mutates: true,
  }),
}
