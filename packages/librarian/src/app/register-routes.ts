/** Registers the wire's table: one POST per endpoint, its aliases, each with and without a slash at its end. */
import { Readable } from 'node:stream'
import { type Endpoint, type Level, LibrarianError, parseRequest, toAnswer } from '@arriero/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { JsonText } from '../routes/json-text.ts'
import type { Call, Caller, Route } from '../routes/route.ts'
import { understood } from './error-exit.ts'
import { goneSignal } from './gone-signal.ts'
import { type Kept, maxKept, type Once } from './idempotency.ts'

export const prefix = '/api/v2'

/** Finds out who calls and holds them to a level; throws otherwise. */
export type Authenticate = (request: FastifyRequest, reply: FastifyReply, level: Level) => Promise<Caller>

export interface RegisterOptions {
  readonly routes: readonly Route[]
  readonly endpoints: readonly Endpoint[]
  /** Whether this release does not answer an endpoint. */
  readonly isUnserved: (endpoint: Endpoint) => boolean
  readonly authenticate: Authenticate
  readonly once: Once
}

const callers = new WeakMap<FastifyRequest, Caller>()

export function registerRoutes(app: FastifyInstance, options: RegisterOptions): void {
  refuseGaps(options)
  for (const route of options.routes) {
    for (const url of pathsOf(route.endpoint)) {
      app.post(url, {
        config: { endpoint: route.endpoint },
        preValidation: async (request, reply) => {
          callers.set(request, await options.authenticate(request, reply, route.endpoint.level))
        },
        handler: (request, reply) => answer(route, options.once, request, reply),
      })
    }
  }
}

/** All URLs of an endpoint. */
export function pathsOf({ path, aliases = [] }: Endpoint): string[] {
  return [path, ...aliases].flatMap(each => {
    const bare = `${prefix}/${each.replace(/\/$/, '')}`
    return [bare, `${bare}/`]
  })
}

/** A server that lacks a handler does not start (`endpoint.ts`), nor one that has two. */
function refuseGaps({ routes, endpoints, isUnserved }: RegisterOptions): void {
  const served = new Map<Endpoint, number>()
  for (const { endpoint } of routes) served.set(endpoint, (served.get(endpoint) ?? 0) + 1)
  for (const endpoint of endpoints) {
    const handlers = served.get(endpoint) ?? 0
    const expected = isUnserved(endpoint) ? 0 : 1
    if (handlers === expected) continue
    throw new LibrarianError(
      'Internal',
      `Cannot start: ${endpoint.path} must have ${expected} handlers in this release, and has ${handlers}`,
    )
  }
}

async function answer(
  { endpoint, handle }: Route,
  once: Once,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const asked = parseRequest(endpoint, request.body)
  understood.set(request, asked)
  const caller = callers.get(request)!
  const call: Call = { caller, id: request.id, signal: goneSignal(reply.raw) }
  const work = () => handle(asked as never, call)
  const key = endpoint.mutates ? headerOf(request, 'idempotency-key') : undefined
  if (key === undefined) return send(endpoint, await work(), reply)
  const { kept, isReplay } = await once({ endpoint, request: asked, actor: caller.name, key }, async () =>
    keptOf(endpoint, await work()),
  )
  if (isReplay) reply.header('idempotency-replayed', 'true')
  return sendText(reply, kept)
}

function send(endpoint: Endpoint, result: unknown, reply: FastifyReply): unknown {
  if (!(result instanceof JsonText)) return sendText(reply, answerOf(endpoint, result))
  return sendText(reply, { status: endpoint.status ?? 200, body: undefined, pieces: result.pieces })
}

async function keptOf(endpoint: Endpoint, result: unknown): Promise<Kept> {
  if (!(result instanceof JsonText)) return answerOf(endpoint, result)
  const status = endpoint.status ?? 200
  const { text, rest } = await gather(result.pieces, maxKept)
  return rest === undefined ? { status, body: text } : { status, body: undefined, pieces: joined(text, rest) }
}

function answerOf(endpoint: Endpoint, result: unknown): Kept {
  const { status, body } = toAnswer(endpoint, result)
  return { status, body: body === undefined ? undefined : JSON.stringify(body) }
}

/** Success of a commit has neither body nor type (librarian 4.1). */
function sendText(reply: FastifyReply, { status, body, pieces }: Kept): unknown {
  reply.code(status)
  if (pieces) return reply.type(jsonType).send(Readable.from(batched(pieces)))
  return body === undefined ? reply.send() : reply.type(jsonType).send(body)
}

/** @returns what follows, where there is more than `most` characters */
async function gather(pieces: AsyncIterable<string>, most: number) {
  const iterator = pieces[Symbol.asyncIterator]()
  let text = ''
  while (text.length <= most) {
    const next = await iterator.next()
    if (next.done) return { text, rest: undefined }
    text += next.value
  }
  return { text, rest: iterator }
}

async function* joined(text: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield text
  yield* { [Symbol.asyncIterator]: () => rest }
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

const jsonType = 'application/json'

/** Pieces of some ten KiB: one write per entry would cost more than the entry. */
async function* batched(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let batch = ''
  for await (const piece of pieces) {
    batch += piece
    if (batch.length < 65_536) continue
    yield batch
    batch = ''
  }
  yield batch
}
