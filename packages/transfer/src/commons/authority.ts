/**
 * Who asks at a host. A token is renewed early and once for all who wait (gen3 2.3); what a host refuses is renewed once.
 */
import { abortable } from '../abortable.ts'
import { type Clock, systemClock } from '../clock.ts'

export interface Authority {
  /** How the token is sent. Default `Bearer`. */
  readonly scheme?: 'Basic' | undefined
  /** The token of now; undefined: anonymous. */
  token(signal: AbortSignal): Promise<string | undefined>
  /** A service refused this token: another one, or undefined when there is no other. */
  renew(refused: string, signal: AbortSignal): Promise<string | undefined>
}

export interface IssuedToken {
  readonly token: string
  /** Milliseconds since 1970, by our clock. */
  readonly expiresAt: number
  /** Milliseconds that it had to live when it was issued. */
  readonly lifetimeMs: number
}

export const anonymous: Authority = {
  token: async () => undefined,
  renew: async () => undefined,
}

const EARLY_MS = 300_000
const EARLY_SHARE = 0.2

/** Tokens that somebody issues again and again. */
export class RenewingAuthority implements Authority {
  readonly #issue: (signal: AbortSignal) => Promise<IssuedToken>
  readonly #clock: Clock
  #issued: IssuedToken | undefined
  #issuing: Promise<IssuedToken> | undefined
  readonly #closed = new AbortController()

  /** @param first one that is still good, e.g. from a cache */
  constructor(
    issue: (signal: AbortSignal) => Promise<IssuedToken>,
    {
      clock = systemClock,
      first,
    }: { readonly clock?: Clock | undefined; readonly first?: IssuedToken | undefined } = {},
  ) {
    this.#issue = issue
    this.#clock = clock
    this.#issued = first
  }

  async token(signal: AbortSignal): Promise<string> {
    const issued = this.#issued
    return issued && !this.#isLate(issued) ? issued.token : (await this.#renewed(signal)).token
  }

  async renew(refused: string, signal: AbortSignal): Promise<string | undefined> {
    // Requests that were refused together are renewed together.
    if (this.#issued && this.#issued.token !== refused) return this.#issued.token
    const { token } = await this.#renewed(signal)
    return token === refused ? undefined : token
  }

  /** Ends an exchange under way. */
  close(): void {
    this.#closed.abort(new DOMException('The engine was closed', 'AbortError'))
  }

  #isLate({ expiresAt, lifetimeMs }: IssuedToken): boolean {
    return expiresAt - this.#clock.wallNow() < Math.min(EARLY_MS, EARLY_SHARE * lifetimeMs)
  }

  /** One exchange for all; who gives up waiting does not stop it for the others. */
  #renewed(signal: AbortSignal): Promise<IssuedToken> {
    this.#issuing ??= this.#issue(this.#closed.signal)
      .then(issued => {
        this.#issued = issued
        return issued
      })
      .finally(() => {
        this.#issuing = undefined
      })
    return abortable(this.#issuing, signal)
  }
}

/** A name and a password, sent as they are with every question. */
export function passwordAuthority(user: string, password: string): Authority {
  const token = Buffer.from(`${user}:${password}`).toString('base64')
  return { scheme: 'Basic', token: async () => token, renew: async () => undefined }
}

/** A bare access token: when it ends, it ends. */
export function fixedAuthority(token: string): Authority {
  return { token: async () => token, renew: async () => undefined }
}
