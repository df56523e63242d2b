/** The one place where errors become answers. */
import { type Endpoint, type LibrarianError, toFailureBody } from '@arriero/api'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../log.ts'
import { toLibrarianError } from './failure.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set on routes of the wire's table. */
    endpoint?: Endpoint
  }
}

/** What calls asked for, once their bodies were understood: failures repeat some of it. */
export const understood = new WeakMap<FastifyRequest, unknown>()

export function createErrorExit(log: Log) {
  return async (thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const error = toLibrarianError(thrown)
    const { endpoint } = request.routeOptions.config
    const { status, headers, body } = toFailureBody(error, endpoint, understood.get(request))
    tell(log, error, thrown, { id: request.id, path: request.routeOptions.url, status })
    reply.code(status).headers(headers)
    // What is left of the body would otherwise be read as the next request.
    if (!request.raw.complete) reply.header('connection', 'close')
    return reply.send(body)
  }
}

function tell(
  log: Log,
  error: LibrarianError,
  thrown: unknown,
  fields: { id: string; status: number; path?: string | undefined },
): void {
  if (fields.status >= 500) log.error({ ...fields, code: error.code, err: thrown }, error.message)
  else log.info({ ...fields, code: error.code }, error.message)
}
