/** The one place where errors become answers. */
import { type Endpoint, toFailureBody } from '@arriero/api'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { toLibrarianError } from './failure.ts'
import type { FailureLog } from './failure-log.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set on routes of the wire's table. */
    endpoint?: Endpoint
  }
}

/** What calls asked for, once their bodies were understood: failures repeat some of it. */
export const understood = new WeakMap<FastifyRequest, unknown>()

export function createErrorExit(failures: FailureLog) {
  return async (thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const error = toLibrarianError(thrown)
    const { endpoint } = request.routeOptions.config
    const { status, headers, body } = toFailureBody(error, endpoint, understood.get(request))
    failures.tell(error, thrown, { id: request.id, path: request.routeOptions.url, status })
    reply.code(status).headers(headers)
    // What is left of the body would otherwise be read as the next request.
    if (!request.raw.complete) reply.header('connection', 'close')
    return reply.send(body)
  }
}
