/**
 * Sessions of the dashboard: a cookie instead of a password with every call. The cookie is 256 random bits, of which the
 * catalogue has the hash alone; the token against forged calls follows from it, so that nobody need keep it.
 */
import { createHash } from 'node:crypto'
import { type Instant, instantOf, type Level, millisecondsOf } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { type SessionRow, sessionLimits } from '../catalogue/operations/sessions.ts'
import type { Authenticator } from './authenticator.ts'
import type { Credentials } from './basic.ts'

export interface Session {
  readonly username: string
  readonly level: Level
  /** What every call that is no mere look must show besides the cookie. */
  readonly csrf: string
  /** When it ends, if it is not used again. */
  readonly expires: Instant
}

export interface Sessions {
  /** `Denied`, `TooMany`, `Busy`: as for any password. */
  begin(credentials: Credentials, address: string): Promise<{ readonly token: string; readonly session: Session }>
  /** Undefined: it is none, or has ended. */
  find(token: string): Promise<Session | undefined>
  end(token: string): Promise<void>
}

export interface SessionsOptions {
  readonly catalogue: Pick<Catalogue, 'sessions'>
  readonly authenticator: Pick<Authenticator, 'prove'>
  readonly random: (bytes: number) => Buffer
}

/** A use is written down so often, and no more: a page asks every few seconds. */
const touchMs = 300_000

export function createSessions({ catalogue: { sessions }, authenticator, random }: SessionsOptions): Sessions {
  const find: Sessions['find'] = async token => {
    const tokenHash = hashOf(token)
    const row = await sessions.find({ tokenHash })
    if (!row) return undefined
    if (millisecondsOf(row.now) - millisecondsOf(row.last_used) > touchMs) await sessions.touch({ tokenHash })
    return { username: row.username, level: row.level, csrf: csrfOf(token), expires: expiresOf(row) }
  }
  return {
    find,
    async begin(credentials, address) {
      const { username, version } = await authenticator.prove(credentials, { level: 'READONLY', address })
      const token = random(32).toString('base64url')
      await sessions.begin({ tokenHash: hashOf(token), username, version })
      const session = await find(token)
      // The account was changed in this very moment.
      return session ? { token, session } : await this.begin(credentials, address)
    },
    end: token => sessions.end({ tokenHash: hashOf(token) }),
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Another hash than the one that is kept: neither tells the other, nor the token. */
function csrfOf(token: string): string {
  return createHash('sha256').update(`csrf ${token}`).digest('base64url')
}

function expiresOf({ created, now }: SessionRow): Instant {
  const { idleSeconds, wholeSeconds } = sessionLimits
  const idle = millisecondsOf(now) + idleSeconds * 1000
  const whole = millisecondsOf(created) + wholeSeconds * 1000
  return instantOf(new Date(Math.min(idle, whole)))
}
