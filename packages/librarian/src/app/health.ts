/** For those who watch over the process: whether it lives, and whether it can do its work. No credentials, no details. */
import type { FastifyInstance } from 'fastify'

/** Why the server cannot do its work, in words that anybody may read; empty: it can. */
export type Readiness = () => Promise<readonly string[]>

export function registerHealth(app: FastifyInstance, readiness: Readiness): void {
  app.get('/health/live', async () => ({ status: 'ok' }))
  for (const url of ['/health', '/health/ready']) {
    app.get(url, async (_request, reply) => {
      const reasons = await readiness()
      return reasons.length === 0
        ? { status: 'ok' }
        : reply.code(503).header('retry-after', '5').send({ status: 'unavailable', reasons })
    })
  }
}
