/** For those who watch over the process: whether it lives, and whether it can do its work. No credentials, no details. */
import type { FastifyInstance } from 'fastify'
import type { BackupState } from '../services/backups/describe-backups.ts'
import type { CopiesHealth } from '../services/copies/copies-health.ts'

/** Why the server cannot do its work, in words that anybody may read; empty: it can. */
export type Readiness = () => Promise<readonly string[]>

/** What keeps nobody from working, but whoever watches must see. */
export interface Watched {
  readonly backups?: (() => BackupState | undefined) | undefined
  /** Undefined: it cannot be told now. */
  readonly copies?: (() => Promise<CopiesHealth | undefined>) | undefined
}

export function registerHealth(app: FastifyInstance, readiness: Readiness, { backups, copies }: Watched = {}): void {
  app.get('/health/live', async () => ({ status: 'ok' }))
  for (const url of ['/health', '/health/ready']) {
    app.get(url, async (_request, reply) => {
      const [reasons, known] = await Promise.all([readiness(), copies?.()])
      const state = { ...backupsOf(backups?.()), ...(known ? { copies: known } : {}) }
      return reasons.length === 0
        ? { status: 'ok', ...state }
        : reply
            .code(503)
            .header('retry-after', '5')
            .send({ status: 'unavailable', reasons, ...state })
    })
  }
}

function backupsOf(state: BackupState | undefined): object {
  if (!state) return {}
  const { newest, restored, checked, concerns } = state
  const known = { newest, restored, checked }
  const moments = Object.entries(known).map(([key, moment]) => [key, moment?.time ?? null])
  return { backups: { ...Object.fromEntries(moments), concerns } }
}
