/** Every request counted, and named in the lines that its work writes; also those that are never answered. */
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { inCall } from '../log/call-context.ts'
import type { Log } from '../log.ts'
import type { MeteredRequest, Meters } from '../services/meters.ts'

export interface MeterRequestsOptions {
  readonly meters: Pick<Meters, 'request'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

export function meterRequests(app: FastifyInstance, { meters, clock, log }: MeterRequestsOptions): void {
  app.addHook('onRequest', (request, reply, done) => {
    const begun = clock.now()
    const end = meters.request()
    const { socket } = request.raw
    const before = bytesOf(socket)
    const { raw: response } = reply
    response.once('close', () => {
      const of: MeteredRequest = {
        ...nameOf(request),
        status: response.headersSent ? response.statusCode : undefined,
        seconds: (clock.now() - begun) / 1000,
        received: bytesOf(socket).read - before.read,
        sent: bytesOf(socket).written - before.written,
      }
      end(of)
      const { route, status, seconds } = of
      const ms = Math.round(seconds * 1000)
      log.debug({ request: request.id, method: of.method, path: route, status, ms }, 'a request has ended')
    })
    inCall(request.id, done)
  })
}

/** Requests without a socket have none. */
function bytesOf({ bytesRead = 0, bytesWritten = 0 }: Partial<Pick<Socket, 'bytesRead' | 'bytesWritten'>>) {
  return { read: bytesRead, written: bytesWritten }
}

/** Nothing that callers chose: paths that lead nowhere, and methods of no route, are one. */
function nameOf({ method, routeOptions: { url } }: FastifyRequest): Pick<MeteredRequest, 'method' | 'route'> {
  if (url === undefined) return { method: 'other', route: 'other' }
  return { method, route: url.length > 1 ? url.replace(/\/$/, '') : url }
}
