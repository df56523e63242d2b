/**
 * `GET /metrics`: for Prometheus on this machine, or wherever the settings say; for everybody else with an account that may
 * read (deny by default, reliability F3: it names stores and librarians).
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Metrics } from '../metrics/create-metrics.ts'
import type { Authenticate } from './register-routes.ts'
import { type IsTrusted, trustedAddresses } from './trusted-addresses.ts'

export interface MetricsRouteOptions {
  readonly metrics: Pick<Metrics, 'expose' | 'contentType'>
  /** Who needs no account. */
  readonly addresses: readonly string[]
  /** Proxies whose word for the caller's address is taken. */
  readonly isTrusted: IsTrusted
  readonly authenticate: Authenticate
}

/** @throws `Configuration` */
export function registerMetrics(app: FastifyInstance, options: MetricsRouteOptions): void {
  const { metrics, addresses, isTrusted, authenticate } = options
  const isNear = trustedAddresses(addresses, 'metrics.addresses')

  /** What a proxy that nobody has named brings is from anywhere, though it comes from this machine. */
  function isFree({ ip, headers, raw }: FastifyRequest): boolean {
    const isBrought = [headers['x-forwarded-for'], headers.forwarded, headers.via].some(value => value !== undefined)
    return isNear(ip) && (!isBrought || isTrusted(raw.socket.remoteAddress))
  }

  app.get('/metrics', async (request, reply) => {
    if (!isFree(request)) await authenticate(request, reply, 'READONLY')
    return reply.type(metrics.contentType).send(await metrics.expose())
  })
}
