/** Who did what to whom, and what became of it: append-only (reliability F4). */
import type { Endpoint } from '@arriero/api'
import { LibrarianError } from '@arriero/api'
import type { Log } from '../log.ts'
import type { Route } from '../routes/route.ts'

export interface Act {
  readonly actor: string
  /** For calls of the wire, the endpoint's path. */
  readonly action: string
  /** What it was done to: a name or a number. */
  readonly subject: string
  /** Why, which proofs, outcome; never a secret. */
  readonly detail: Readonly<Record<string, unknown>>
}

/** Resolves when it is durable. */
export type RecordAct = (act: Act) => Promise<void>

/** The fields of requests that must be kept nowhere. */
const secretFields = new Set(['password', 'new_password', 'authenticator'])

const subjectFields = ['username', 'store_name', 'librarian_name', 'instance_id', 'id', 'name', 'file_name'] as const

/** Whether an endpoint is a privileged act: administration, and one's own password. */
export function isPrivileged({ level, mutates, path }: Endpoint): boolean {
  return mutates && (level === 'ADMIN' || path.startsWith('users/'))
}

/** Records every privileged act, whether it was done or refused, before its caller hears of it. */
export function withAudit(route: Route, record: RecordAct, log: Log): Route {
  const { endpoint, handle } = route
  if (!isPrivileged(endpoint)) return route
  return {
    endpoint,
    handle: async (request, call) => {
      const act = describe(endpoint, request, call.caller.name)
      let result: unknown
      try {
        result = await handle(request, call)
      } catch (error) {
        const code = error instanceof LibrarianError ? error.code : 'Internal'
        // The refusal is the answer, whatever becomes of its record.
        await record({ ...act, detail: { ...act.detail, outcome: 'refused', code } }).catch(failure =>
          log.error({ err: failure, action: act.action }, 'A refused act could not be recorded in the audit'),
        )
        throw error
      }
      await record({ ...act, detail: { ...act.detail, outcome: 'done' } })
      return result
    },
  }
}

/** A request as it may be written down. */
export function withoutSecrets(request: unknown): Record<string, unknown> {
  const fields = Object.entries(request as Record<string, unknown>).filter(([, value]) => value !== undefined)
  return Object.fromEntries(fields.map(([key, value]) => [key, secretFields.has(key) ? '***' : value]))
}

function describe(endpoint: Endpoint, request: unknown, actor: string): Act {
  const shown = withoutSecrets(request)
  const subject = subjectFields.map(key => shown[key]).find(value => value !== undefined) ?? actor
  return { actor, action: endpoint.path, subject: String(subject), detail: { request: shown } }
}
