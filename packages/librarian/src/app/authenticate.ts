/** Who calls: by a password with the call itself (librarian 5), or by a session of the dashboard. */
import { type Level, LibrarianError, levels, SESSION_HEADER } from '@arriero/api'
import type { FastifyRequest } from 'fastify'
import type { Authenticator } from '../auth/authenticator.ts'
import { isOwnOrigin, isSame } from '../auth/own-page.ts'
import { sessionToken } from '../auth/session-cookie.ts'
import type { Sessions } from '../auth/sessions.ts'
import type { Caller } from '../routes/route.ts'
import type { Hear } from '../services/heard-peers.ts'
import { createUserLimit } from './limit-users.ts'
import type { Authenticate } from './register-routes.ts'

export interface AuthenticateOptions {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  /** Undefined: passwords only. */
  readonly sessions?: Pick<Sessions, 'find'> | undefined
  /** Of one user at once. */
  readonly requestsPerUser: number
  /** Told of callers who proved who they are. */
  readonly hear?: Hear | undefined
}

export interface Authentication {
  /** Counts the call among its user's. */
  readonly authenticate: Authenticate
  /** Once more for a call that was let in and lasts. */
  readonly prove: (request: FastifyRequest, level: Level) => Promise<Caller>
}

export function createAuthentication(options: AuthenticateOptions): Authentication {
  const { authenticator, sessions, hear } = options
  const enter = createUserLimit(options.requestsPerUser)
  const prove: Authentication['prove'] = async (request, level) => {
    const { authorization, cookie } = request.headers
    const token = sessions && authorization === undefined ? sessionToken(cookie) : undefined
    if (sessions && token !== undefined) return callerOf(sessions, token, { request, level })
    return authenticator.authenticate(authorization, { level, address: request.ip })
  }
  return {
    prove,
    async authenticate(request, reply, level) {
      const caller = await prove(request, level)
      // Who may be anybody is counted by address alone.
      if (level === 'NONE') return caller
      enter(caller.name, reply.raw)
      hear?.(caller.name)
      return caller
    },
  }
}

/** `NoSession`, `Forbidden`. */
async function callerOf(
  sessions: Pick<Sessions, 'find'>,
  token: string,
  { request, level }: { request: FastifyRequest; level: Level },
): Promise<Caller> {
  const session = await sessions.find(token)
  if (!session) throw new LibrarianError('NoSession', 'Cannot tell who calls: the session has ended')
  if (!isLook(request)) demandOwnPage(request, session.csrf)
  if (levels[session.level] >= levels[level]) return { name: session.username, level: session.level }
  throw new LibrarianError('Forbidden', `Cannot do this: it needs the level ${level}, and yours is ${session.level}`)
}

/** Other sites' pages can have a browser ask for it, and see nothing of the answer. */
function isLook({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

function demandOwnPage({ headers, host, protocol }: FastifyRequest, csrf: string): void {
  const shown = headers[SESSION_HEADER]
  const isKnowing = isSame(typeof shown === 'string' ? shown : undefined, csrf)
  if (isKnowing && isOwnOrigin(headers.origin, `${protocol}://${host}`)) return
  throw new LibrarianError('Forbidden', 'Cannot take the call: it must come from the page of this session', {
    remedy: `Call from the dashboard; of other programs, with a password, or with ${SESSION_HEADER} and Origin.`,
  })
}
