/**
 * Sessions of the dashboard: a cookie instead of a password with every call. These three calls are beside the table of
 * endpoints, because what they answer goes into headers too. All are POST below `/api/v2/`, with JSON both ways.
 *
 * A call with the cookie alone may only look (GET, HEAD); each other one needs the header `SESSION_HEADER` with the session's
 * `csrf`, and an `Origin` that is the server's own.
 */
import { z } from 'zod'
import { naive, text } from './values/lax.ts'
import { level } from './values/level.ts'

/** Carries what `sessionAnswer` gives as `csrf`. */
export const SESSION_HEADER = 'x-arriero-csrf'

/** HttpOnly: no script sees it. */
export const SESSION_COOKIE = 'arriero_session'

export const sessionPaths = {
  /** Takes `sessionRequest`, gives `sessionAnswer` and the cookie. 403: name or password is wrong; 429: too many were. */
  begin: 'session/begin',
  /** Gives `sessionAnswer` by the cookie alone, but for an `Origin` that is another's. 401: there is none. */
  get: 'session/get',
  /** Ends it and takes the cookie away; gives `{}`. */
  end: 'session/end',
} as const

export const sessionRequest = z.object({ username: text.min(1).max(256), password: text.min(1).max(1024) })

export const sessionAnswer = z.object({
  username: z.string(),
  level: level.told,
  /** For `SESSION_HEADER` of every call that is no GET. */
  csrf: z.string(),
  /** It ends then, or earlier: twelve hours after its last call. */
  expires_time: naive,
})

export type SessionAnswer = z.output<typeof sessionAnswer>
