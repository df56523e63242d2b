import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LibrarianError, levels } from '@arriero/api'
import { send, textOf } from './http.ts'

export interface StandInSession {
  readonly username: string
  readonly level: number
  readonly csrf: string
  readonly expires_time: string
}

const users: Readonly<Record<string, number>> = { ada: levels.ADMIN, bo: levels.READONLY, cyd: levels.ADMIN }

export interface SessionCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly sessions: Map<string, StandInSession>
}

export async function sessionCalls(path: string, { request, response, sessions }: SessionCall): Promise<void> {
  const id = /arriero_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
  if (path === 'session/begin') {
    const { username, password } = JSON.parse(await textOf(request)) as { username: string; password: string }
    if (users[username] === undefined || password !== username) {
      return send(response, 403, { reason: 'The user name or the password is wrong.', suggested_remedy: 'Try again.' })
    }
    const session = {
      username,
      level: users[username],
      csrf: randomBytes(16).toString('hex'),
      expires_time: new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 19),
    }
    const fresh = randomBytes(32).toString('hex')
    sessions.set(fresh, session)
    response.setHeader('set-cookie', `arriero_session=${fresh}; HttpOnly; SameSite=Strict; Path=/`)
    return send(response, 200, session)
  }
  const session = sessions.get(id)
  if (!session) throw new LibrarianError('NotAuthenticated', 'There is no session')
  if (path === 'session/end') {
    sessions.delete(id)
    return send(response, 200, {})
  }
  send(response, 200, session)
}
