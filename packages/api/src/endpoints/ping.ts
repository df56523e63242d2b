/** Who is there (librarian 10.1). */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'

const request = z.object({})

const answer = z.object({
  /** The display name, not the `name` setting. */
  name: z.string(),
  description: z.string(),
  /** Ours: release of the server. Absent at a real librarian. */
  version: z.string().optional(),
  /** Ours: what callers may rely on, such as `idempotency`. Unknown words are to be ignored. */
  capabilities: z.array(z.string()).optional(),
})

export const ping = {
  any: endpoint({ path: 'ping/', level: 'NONE', summary: 'Say who is there.', request, answer, mutates: false }),
  logged: endpoint({
    path: 'ping/logged',
    level: 'READONLY',
    summary: 'Say who is there, to a known user.',
    request,
    answer,
    mutates: false,
  }),
  admin: endpoint({
    path: 'ping/admin',
    level: 'ADMIN',
    summary: 'Say who is there, to an administrator.',
    request,
    answer,
    mutates: false,
  }),
}
