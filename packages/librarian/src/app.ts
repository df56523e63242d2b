/**
 * The HTTP application: the wire's table of endpoints and the routes beside it, behind one authentication and one error
 * exit. Without a socket it is asked by `app.inject`.
 */
import { randomUUID } from 'node:crypto'
import { type Endpoint, endpoints, LibrarianError } from '@arriero/api'
import Fastify, { type FastifyInstance } from 'fastify'
import { answerMalformed } from './app/answer-malformed.ts'
import { createAuthentication } from './app/authenticate.ts'
import { createErrorExit } from './app/error-exit.ts'
import { createFailureLog } from './app/failure-log.ts'
import { guardConnections } from './app/guard-connections.ts'
import { type Readiness, registerHealth, type Watched } from './app/health.ts'
import type { Once } from './app/idempotency.ts'
import { isAmbiguous } from './app/is-ambiguous.ts'
import { limitForwarded } from './app/limit-forwarded.ts'
import { meterRequests } from './app/meter-requests.ts'
import { registerMetrics } from './app/metrics.ts'
import { registerOpenApi } from './app/openapi.ts'
import { readJson } from './app/read-json.ts'
import { registerRawRoutes } from './app/register-raw-routes.ts'
import { pathsOf, registerRoutes } from './app/register-routes.ts'
import { trustedAddresses } from './app/trusted-addresses.ts'
import { isUnserved } from './app/unserved.ts'
import type { Authenticator } from './auth/authenticator.ts'
import type { Sessions } from './auth/sessions.ts'
import type { Clock } from './clock.ts'
import type { Settings } from './config.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics/create-metrics.ts'
import type { RawRoute } from './routes/raw-route.ts'
import type { Route } from './routes/route.ts'
import type { Hear } from './services/heard-peers.ts'
import { noMeters } from './services/meters.ts'

/** With what `health` tells beyond readiness. */
export interface AppOptions extends Watched {
  readonly settings: Pick<Settings, 'limits' | 'trustedProxies' | 'debug'> & Partial<Pick<Settings, 'metrics'>>
  readonly routes: readonly Route[]
  readonly rawRoutes: readonly RawRoute[]
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  /** Of the dashboard; undefined: passwords only. */
  readonly sessions?: Pick<Sessions, 'find'> | undefined
  /** Told of callers who proved who they are. */
  readonly hear?: Hear | undefined
  readonly once: Once
  readonly readiness: Readiness
  /** Default: requests are not counted, and nobody is told of any numbers. */
  readonly metrics?: Metrics | undefined
  readonly clock: Clock
  readonly log: Log
  /** For the headers of a request. Default 15,000. */
  readonly headersTimeoutMs?: number | undefined
  /** Over which a body's rate is taken. Default 60,000. */
  readonly bodyWindowMs?: number | undefined
  /** Default: `isUnserved`. */
  readonly isUnserved?: (endpoint: Endpoint) => boolean
}

export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { settings, routes, rawRoutes, once, readiness, clock, log, isUnserved: isLeftOut = isUnserved } = options
  const { headersTimeoutMs = 15_000 } = options
  const { limits, trustedProxies } = settings
  const isTrusted = trustedAddresses(trustedProxies)
  const app = Fastify({
    bodyLimit: limits.jsonBytes,
    trustProxy: trustedProxies.length === 0 ? false : isTrusted,
    // Node draws randomness for many of these at once; each draw of its own is a call of the system.
    genReqId: () => randomUUID().slice(19).replaceAll('-', ''),
    requestIdHeader: false,
    // Long uploads are healthy; slow ones are ended by the watchdog.
    requestTimeout: 0,
    keepAliveTimeout: 30_000,
    http: {
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: Math.min(2000, headersTimeoutMs),
      maxHeaderSize: 16_384,
      // Node would refuse it, and yet obey what was sent behind it.
      requireHostHeader: false,
    },
    forceCloseConnections: 'idle',
    // Its own answer is none of the wire's (`refuseWhileStopping`).
    return503OnClosing: false,
    clientErrorHandler: answerMalformed,
  })
  meterRequests(app, { meters: options.metrics?.meters ?? noMeters, clock, log })
  guardConnections(app.server, { limits, isTrusted, clock, log, windowMs: options.bodyWindowMs })
  const authentication = createAuthentication({ ...options, requestsPerUser: limits.requestsPerUser })
  const { authenticate } = authentication
  const failures = createFailureLog(log)
  app.setErrorHandler(createErrorExit(failures))
  const condemned = new WeakSet<object>()
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
    const { raw } = request
    if (condemned.has(raw.socket)) return reply.hijack()
    if (!isAmbiguous(raw)) return
    // What was sent behind it is at hand already, and would be obeyed before the connection ends.
    condemned.add(raw.socket)
    return reply.code(400).header('connection', 'close').send({ detail: 'Bad Request' })
  })
  refuseWhileStopping(app)
  limitForwarded(app, { isTrusted, most: limits.connectionsPerAddress })
  const table = allEndpoints()
  answerUnknown(app, new Set(routes.flatMap(({ endpoint }) => pathsOf(endpoint))))
  await app.register(async scope => {
    readJson(scope)
    registerRoutes(scope, { routes, endpoints: table, isUnserved: isLeftOut, authenticate, once })
  })
  await app.register(async scope => registerRawRoutes(scope, { routes: rawRoutes, authentication, failures }))
  registerHealth(app, readiness, options)
  const { metrics } = options
  if (metrics) {
    const { addresses = [] } = settings.metrics ?? {}
    registerMetrics(app, { metrics, addresses, isTrusted, authenticate })
  }
  if (settings.debug) registerOpenApi(app, table)
  return app
}

/** The table, flat. */
export function allEndpoints(): Endpoint[] {
  const isEndpoint = (value: object): value is Endpoint => 'path' in value && 'request' in value
  const flatten = (group: object): Endpoint[] =>
    isEndpoint(group) ? [group] : Object.values(group).flatMap(member => flatten(member as object))
  return flatten(endpoints)
}

/** A server comes back in about as long as it takes to start. */
const RESTART_SECONDS = 5

/** Calls that came while the last ones end, on connections that were open (librarian 4.3). The framework ends those then. */
function refuseWhileStopping(app: FastifyInstance): void {
  let isStopping = false
  app.addHook('preClose', async () => {
    isStopping = true
  })
  app.addHook('onRequest', async () => {
    if (!isStopping) return
    throw new LibrarianError('Busy', 'Cannot take the call: the server is stopping', {
      retryAfterSeconds: RESTART_SECONDS,
    })
  })
}

function answerUnknown(app: FastifyInstance, posted: ReadonlySet<string>): void {
  app.setNotFoundHandler(async request => {
    const path = request.url.split('?')[0] ?? ''
    throw new LibrarianError(posted.has(path) ? 'WrongMethod' : 'NoEndpoint', 'There is nothing here')
  })
}
