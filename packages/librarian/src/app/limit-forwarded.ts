/**
 * Behind a proxy all connections are the proxy's: there, what one address may have at once is counted in requests, by the
 * address that the proxy tells.
 */
import { LibrarianError } from '@arriero/api'
import type { FastifyInstance } from 'fastify'
import type { IsTrusted } from './trusted-addresses.ts'

export interface LimitForwardedOptions {
  readonly isTrusted: IsTrusted
  /** Requests of one address at once. */
  readonly most: number
}

export function limitForwarded(app: FastifyInstance, { isTrusted, most }: LimitForwardedOptions): void {
  const counts = new Map<string, number>()
  app.addHook('onRequest', async (request, reply) => {
    const { ip } = request
    if (!isTrusted(request.raw.socket.remoteAddress) || isTrusted(ip)) return
    const count = counts.get(ip) ?? 0
    if (count >= most) {
      throw new LibrarianError('TooMany', `Cannot take the call: an address may have ${most} at once`, {
        retryAfterSeconds: 5,
      })
    }
    counts.set(ip, count + 1)
    reply.raw.once('close', () => {
      const left = (counts.get(ip) ?? 1) - 1
      if (left === 0) counts.delete(ip)
      else counts.set(ip, left)
    })
  })
}
