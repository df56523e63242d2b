/** Registers routes that speak a protocol of their own: they are handed Node's request and response. */
import { LibrarianError, toFailureBody } from '@arriero/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { RawRoute } from '../routes/raw-route.ts'
import type { Caller } from '../routes/route.ts'
import type { Authentication } from './authenticate.ts'
import { toLibrarianError } from './failure.ts'
import type { FailureLog } from './failure-log.ts'
import { goneSignal } from './gone-signal.ts'

const nobody: Caller = { name: '', level: 'NONE' }

interface Parts {
  readonly authentication: Authentication
  readonly failures: FailureLog
}

export function registerRawRoutes(
  app: FastifyInstance,
  { routes, ...parts }: { routes: readonly RawRoute[] } & Parts,
): void {
  // The handler reads the body itself.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request: unknown, _payload: unknown, done: (error: null) => void) => done(null))
  continueElsewhere(app, routes)
  app.addHook('preClose', async () => {
    for (const { endAll } of routes) endAll?.()
  })
  for (const route of routes) {
    app.route({
      method: [...route.methods],
      url: route.path,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        reply.hijack()
        await serve(route, request, reply, parts)
      },
    })
  }
}

/** `Expect: 100-continue` is answered at once, but where a route does it itself. */
function continueElsewhere(app: FastifyInstance, routes: readonly RawRoute[]): void {
  const prefixes = routes.filter(({ asksForBody }) => asksForBody).map(({ path }) => path.replace(/[:*].*$/, ''))
  app.server.on('checkContinue', (request, response) => {
    if (!prefixes.some(prefix => request.url?.startsWith(prefix))) response.writeContinue()
    app.server.emit('request', request, response)
  })
}

async function serve(
  route: RawRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  { authentication, failures }: Parts,
): Promise<void> {
  const response = reply.raw
  response.setHeader('x-request-id', request.id)
  response.setHeader('x-content-type-options', 'nosniff')
  try {
    const caller = await callerOf(route, request, reply, authentication)
    const origin = `${request.protocol}://${request.host}`
    await route.handle(request.raw, response, {
      caller,
      origin,
      address: request.ip,
      again: () => authentication.prove(request, route.level),
      id: request.id,
      signal: goneSignal(response),
    })
  } catch (thrown) {
    fail(route, thrown, request, response, failures)
  }
}

async function callerOf(
  route: RawRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  { authenticate }: Authentication,
): Promise<Caller> {
  if (route.openMethods?.includes(request.method)) return nobody
  return (await route.identify?.(request.raw)) ?? authenticate(request, reply, route.level)
}

function fail(
  route: RawRoute,
  thrown: unknown,
  request: FastifyRequest,
  response: FastifyReply['raw'],
  failures: FailureLog,
): void {
  const error = toLibrarianError(thrown)
  const { status, headers, body } = toFailureBody(error)
  failures.tell(error, thrown, { id: request.id, path: route.path, status })
  if (response.headersSent) {
    // Nobody may take a part for the whole.
    response.destroy()
    return
  }
  if (!request.raw.complete) response.setHeader('connection', 'close')
  if (route.writeFailure) return route.writeFailure(thrown instanceof LibrarianError ? thrown : error, response)
  const text = JSON.stringify(body)
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}
