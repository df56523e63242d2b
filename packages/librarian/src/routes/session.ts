/** Logging in to the dashboard and out of it: the calls whose answers set a cookie. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LibrarianError, SESSION_HEADER, sessionAnswer, sessionPaths, sessionRequest } from '@arriero/api'
import { isOwnOrigin, isSame } from '../auth/own-page.ts'
import { endedCookie, sessionCookie, sessionToken } from '../auth/session-cookie.ts'
import type { Session, Sessions } from '../auth/sessions.ts'
import { readSmallJson } from '../http/read-small-json.ts'
import type { RawCall, RawRoute } from './raw-route.ts'

export function sessionRoutes(sessions: Sessions): RawRoute[] {
  const begin: RawRoute['handle'] = async (request, response, call) => {
    refuseForeign(request, call)
    const { username, password } = parsed(await readSmallJson(request))
    const { token, session } = await begun(sessions, { username, password }, call.address)
    response.setHeader('set-cookie', sessionCookie(token, { isSecure: isSecure(call) }))
    answer(response, describe(session))
  }
  const get: RawRoute['handle'] = async (request, response, call) => {
    refuseForeign(request, call)
    const { session } = await present(sessions, request)
    answer(response, describe(session))
  }
  const end: RawRoute['handle'] = async (request, response, call) => {
    const { token, session } = await present(sessions, request)
    const shown = request.headers[SESSION_HEADER]
    if (!isSame(String(shown), session.csrf) || !isOwnOrigin(request.headers.origin, call.origin)) throw foreign()
    await sessions.end(token)
    response.setHeader('set-cookie', endedCookie({ isSecure: isSecure(call) }))
    answer(response, {})
  }
  const routeOf = (path: string, methods: readonly string[], handle: RawRoute['handle']): RawRoute => ({
    path: `/api/v2/${path}`,
    methods,
    // They find out by themselves who calls.
    openMethods: methods,
    level: 'READONLY',
    handle,
  })
  return [
    routeOf(sessionPaths.begin, ['POST'], begin),
    routeOf(sessionPaths.get, ['GET', 'POST'], get),
    routeOf(sessionPaths.end, ['POST'], end),
  ]
}

async function begun(sessions: Sessions, credentials: { username: string; password: string }, address: string) {
  try {
    return await sessions.begin(credentials, address)
  } catch (error) {
    if (!(error instanceof LibrarianError) || error.code !== 'Denied') throw error
    throw new LibrarianError('NoSession', 'Cannot log in: the user name or the password is wrong', {
      remedy: 'Check both, and that this user may log in.',
      cause: error,
    })
  }
}

async function present(sessions: Sessions, { headers }: IncomingMessage): Promise<{ token: string; session: Session }> {
  const token = sessionToken(headers.cookie)
  const session = token === undefined ? undefined : await sessions.find(token)
  if (token !== undefined && session) return { token, session }
  throw new LibrarianError('NoSession', 'Nobody is logged in')
}

/** A page of another site could log somebody in as another, who would then upload for them. */
function refuseForeign({ headers }: IncomingMessage, { origin: own }: RawCall): void {
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, own)) throw foreign()
}

const isSecure = ({ origin }: RawCall): boolean => origin.startsWith('https:')

function foreign(): LibrarianError {
  return new LibrarianError('Forbidden', 'Cannot take the call: it comes from a page of another site')
}

function parsed(body: unknown): { username: string; password: string } {
  const { success, data } = sessionRequest.safeParse(body)
  if (success) return data
  throw new LibrarianError('BadRequest', 'Cannot log in: the body must be {"username", "password"}')
}

function describe({ username, level, csrf, expires }: Session): object {
  return sessionAnswer.parse({ username, level, csrf, expires_time: expires })
}

function answer(response: ServerResponse, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}
