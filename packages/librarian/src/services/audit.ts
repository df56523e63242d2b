/** Who did what to whom, and what became of it: append-only (reliability F4). */
import type { Endpoint } from '@arriero/api'
import { LibrarianError } from '@arriero/api'
import { redactText } from '@arriero/transfer'
import type { AuditEntry } from '../catalogue/operations/audit.ts'
import type { Log } from '../log.ts'
import type { Route } from '../routes/route.ts'
import { Act } from './act.ts'

/** Resolves when it is durable. */
export type RecordAct = (entry: AuditEntry) => Promise<void>

/** The fields of requests that must be kept nowhere. */
export const secretFields: ReadonlySet<string> = new Set(['password', 'new_password', 'authenticator'])

const subjectFields = [
  'username',
  'store_name',
  'librarian_name',
  'instance_id',
  'trash_id',
  'id',
  'name',
  'file_name',
] as const

/** Whether an endpoint is a privileged act: administration, and one's own password. */
export function isPrivileged({ level, mutates, path }: Endpoint): boolean {
  return mutates && (level === 'ADMIN' || path.startsWith('users/'))
}

/**
 * Gives every privileged call its act, and sees to it that its entry is there before its caller hears of it: what changes
 * anything writes the entry in its own transaction; what was refused, or changed nothing, is written down here.
 */
export function withAudit(route: Route, record: RecordAct, log: Log): Route {
  const { endpoint, handle } = route
  if (!isPrivileged(endpoint)) return route
  return {
    endpoint,
    handle: async (request, call) => {
      const act = actOf(endpoint, request, call.caller.name)
      let result: unknown
      try {
        result = await handle(request, { ...call, act })
      } catch (error) {
        const code = error instanceof LibrarianError ? error.code : 'Internal'
        const outcome = code === 'OutcomeUnknown' ? 'unknown' : 'refused'
        // The refusal is the answer, whatever becomes of its record.
        await record(act.entryWith({ outcome, code })).catch(failure =>
          log.error({ err: failure, action: act.action }, 'A refused act could not be recorded in the audit'),
        )
        throw error
      }
      if (!act.isHandedOn) await record(act.entryWith({ outcome: 'unchanged' }))
      return result
    },
  }
}

/** A request as it may be written down: an address may carry a secret, too, above all in a call that was refused for it. */
export function withoutSecrets(request: unknown): Record<string, unknown> {
  const fields = Object.entries(request as Record<string, unknown>).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    fields.map(([key, value]) => [key, secretFields.has(key) ? '***' : withoutAddresses(value)]),
  )
}

function withoutAddresses(value: unknown): unknown {
  return typeof value === 'string' ? redactText(value) : value
}

function actOf(endpoint: Endpoint, request: unknown, actor: string): Act {
  const shown = withoutSecrets(request)
  const subject = subjectFields.map(key => shown[key]).find(value => value !== undefined) ?? actor
  return new Act({ actor, action: endpoint.path, subject: String(subject), detail: { request: shown } })
}
