/**
 * Finds out who calls (librarian 5). A wrong password, an unknown or removed user and too low a level are one and the same
 * answer after the same work, so that none of them can be told from the others.
 */
import { type Level, LibrarianError, levels } from '@arriero/api'
import type { Account } from '../catalogue/operations/accounts.ts'
import type { Log } from '../log.ts'
import type { Caller } from '../routes/route.ts'
import { createSharedLooks } from '../shared-look.ts'
import { type Credentials, parseBasic } from './basic.ts'
import type { FailureLimit } from './failure-limit.ts'
import type { Passwords } from './passwords.ts'
import type { RecentSuccesses } from './recent-successes.ts'

export interface Authenticator {
  /** `NotAuthenticated`, `Denied`, `TooMany`, `Busy`. */
  authenticate(header: string | undefined, demand: { level: Level; address: string }): Promise<Caller>
  /** For whoever types a password, with the same work and the same limit. `Denied`, `TooMany`, `Busy`. */
  prove(credentials: Credentials, demand: { level: Level; address: string }): Promise<Account>
}

export interface AuthenticatorOptions {
  readonly findAccount: (username: string) => Promise<Account | undefined>
  readonly passwords: Passwords
  readonly failures: FailureLimit
  readonly successes: RecentSuccesses
  readonly log: Log
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { passwords, failures, successes, log } = options
  /** A program with many connections asks the catalogue once for all calls that come together. */
  const findAccount = createSharedLooks(options.findAccount)
  /** Checks of the same credentials that run now: a client that opens twenty connections at once pays for one. */
  const running = new Map<string, Promise<boolean>>()

  async function accountOf(username: string): Promise<Account | undefined> {
    return isName(username) ? findAccount(username) : undefined
  }

  async function check(credentials: Credentials, account: Account | undefined, address: string): Promise<boolean> {
    const key = successes.keyOf(credentials)
    // Before the limit: whoever is right already is not locked out by others behind the same address.
    if (account && successes.has(key, account.version)) return true
    const wait = failures.waitOf(credentials.username, address)
    if (wait > 0) throw tooMany(wait)
    const id = `${account?.version ?? 0} ${address} ${key}`
    const earlier = running.get(id)
    if (earlier) return earlier
    const verdict = verify(credentials, account, address, key).finally(() => running.delete(id))
    running.set(id, verdict)
    return verdict
  }

  async function verify(
    { username, password }: Credentials,
    account: Account | undefined,
    address: string,
    key: string,
  ): Promise<boolean> {
    const isRight = account
      ? await passwords.verify(account.authToken, password)
      : await passwords.verifyNobody(password)
    if (isRight && account) {
      failures.succeed(username, address)
      successes.add(key, account.version)
      return true
    }
    failures.fail(username, address)
    log.warn({ address }, 'A sign-in failed')
    return false
  }

  const prove: Authenticator['prove'] = async (credentials, { level, address }) => {
    const account = await accountOf(credentials.username)
    const isRight = await check(credentials, account, address)
    if (account && isRight && levels[account.level] >= levels[level]) return account
    throw new LibrarianError('Denied', 'Cannot let the caller do this')
  }

  return {
    prove,
    async authenticate(header, { level, address }) {
      const credentials = parseBasic(header)
      if (!credentials) throw new LibrarianError('NotAuthenticated', 'Cannot tell who calls')
      // Anybody may ping, before being registered too (librarian Q5): nothing is looked up, so nothing can be learnt.
      if (level === 'NONE') return { name: credentials.username, level: 'NONE' }
      const { username, level: own } = await prove(credentials, { level, address })
      return { name: username, level: own }
    },
  }
}

/** What a user may be called: text that every log, path and database takes. */
export function isName(username: string): boolean {
  return username !== '' && username.length <= 256 && !/[\p{Cc}\p{Cf}\p{Cs}:]/u.test(username)
}

function tooMany(seconds: number): LibrarianError {
  return new LibrarianError('TooMany', 'Cannot check the password: too many wrong ones came from this address', {
    retryAfterSeconds: seconds,
  })
}
