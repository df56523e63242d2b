/**
 * A librarian’s face with made data: what the pages ask, answered as the wire’s table says, with the same cookie, policy and
 * events. For trying pages and for pictures; nothing is kept.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Endpoint, endpoints, LibrarianError, parseRequest, toAnswer, toFailureBody } from '@arriero/api'
import { answers } from './answers.ts'
import { send, textOf } from './http.ts'
import { overviewAt } from './overview.ts'
import { sendPage } from './send-page.ts'
import { type StandInSession, sessionCalls } from './sessions.ts'
import { createTus } from './tus.ts'

export interface StandInOptions {
  /** 0: any. */
  readonly port?: number
  /** How long each answer takes, in milliseconds; default 0. */
  readonly delayMs?: number
  /** Whether there are events; default true. */
  readonly isLive?: boolean
}

export interface StandIn {
  readonly url: string
  [Symbol.asyncDispose](): Promise<void>
}

/** Name `ada`, password `ada`: an administrator. `bo`, `bo`: one who may only look. */
export async function startStandIn({ port = 0, delayMs = 0, isLive = true }: StandInOptions = {}): Promise<StandIn> {
  const table = new Map(allEndpoints().map(endpoint => [endpoint.path, endpoint]))
  const sessions = new Map<string, StandInSession>()
  const tus = createTus()
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://stand-in')
    response.setHeader('x-content-type-options', 'nosniff')
    try {
      if (delayMs > 0 && pathname.startsWith('/api/')) await new Promise(resolve => setTimeout(resolve, delayMs))
      if (!pathname.startsWith('/api/v2/')) return await sendPage(pathname, response)
      const path = pathname.slice('/api/v2/'.length)
      if (path.startsWith('session/')) return await sessionCalls(path, { request, response, sessions })
      const endpoint = table.get(path)
      if (endpoint?.level === 'NONE') return send(response, 200, answers[path]!({} as never, 'nobody'))
      const session = sessionOf(request, sessions)
      if (request.method !== 'GET' && request.headers['x-arriero-csrf'] !== session.csrf) {
        throw new LibrarianError('Denied', 'Cannot take the call: it must have the header of its session')
      }
      if (path === 'events') return isLive ? sendEvents(response) : send(response, 404, {})
      if (path.startsWith('upload/bytes')) return await tus(request, response)
      if (path.startsWith('data/')) return sendData(path, response)
      await answer(endpoint, { request, response, session })
    } catch (error) {
      const { status, body } = toFailureBody(error)
      if (!(error instanceof LibrarianError)) console.error(error)
      if (!response.headersSent) send(response, status, body)
    }
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${portOf(server)}`, [Symbol.asyncDispose]: () => close(server) }
}

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly session: StandInSession
}

async function answer(endpoint: Endpoint | undefined, { request, response, session }: Call): Promise<void> {
  const give = endpoint && answers[endpoint.path]
  if (!endpoint || !give) throw new LibrarianError('NoEndpoint', 'There is nothing here')
  const text = await textOf(request)
  try {
    const asked = parseRequest(endpoint, text === '' ? undefined : JSON.parse(text))
    const { status, body } = toAnswer(endpoint, await give(asked as never, session.username))
    send(response, status, body)
  } catch (error) {
    const { status, body } = toFailureBody(error, endpoint)
    if (!(error instanceof LibrarianError)) console.error(error)
    send(response, status, body)
  }
}

function sessionOf(request: IncomingMessage, sessions: ReadonlyMap<string, StandInSession>): StandInSession {
  const id = /arriero_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]
  const session = sessions.get(id ?? '')
  if (session) return session
  throw new LibrarianError('NotAuthenticated', 'There is no session')
}

function sendEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write('retry: 3000\n\n')
  const tell = () => {
    response.write(`event: overview\ndata: ${JSON.stringify(overviewAt(Date.now()))}\n\n`)
    response.write('event: transfers\ndata: {"changed":true}\n\n')
  }
  tell()
  const timer = setInterval(tell, 2000)
  response.on('close', () => clearInterval(timer))
}

function sendData(path: string, response: ServerResponse): void {
  const name = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1))
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
  })
  response.end(`These would be the bytes of ${name}.\n`)
}

function allEndpoints(): Endpoint[] {
  const isEndpoint = (value: object): value is Endpoint => 'path' in value && 'request' in value
  const flatten = (group: object): Endpoint[] =>
    isEndpoint(group) ? [group] : Object.values(group).flatMap(member => flatten(member as object))
  return flatten(endpoints)
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
}
