/** For those who watch over the process: whether it lives, and whether it can do its work. No credentials, no details. */
import type { FastifyInstance } from 'fastify'
import type { BackupState } from '../services/backups/describe-backups.ts'

/** Why the server cannot do its work, in words that anybody may read; empty: it can. */
export type Readiness = () => Promise<readonly string[]>

export function registerHealth(
  app: FastifyInstance,
  readiness: Readiness,
  backups: () => BackupState | undefined = () => undefined,
): void {
  app.get('/health/live', async () => ({ status: 'ok' }))
  for (const url of ['/health', '/health/ready']) {
    app.get(url, async (_request, reply) => {
      const reasons = await readiness()
      const state = backupsOf(backups())
      return reasons.length === 0
        ? { status: 'ok', ...state }
        : reply
            .code(503)
            .header('retry-after', '5')
            .send({ status: 'unavailable', reasons, ...state })
    })
  }
}

/** Old backups keep nobody from working, but whoever watches must see them. */
function backupsOf(state: BackupState | undefined): object {
  if (!state) return {}
  const { newest, restored, checked, concerns } = state
  const known = { newest, restored, checked }
  const moments = Object.entries(known).map(([key, moment]) => [key, moment?.time ?? null])
  return { backups: { ...Object.fromEntries(moments), concerns } }
}
