import { randomUUID } from 'node:crypto'
import { makeJwt } from './jwt.ts'

export interface Token {
  readonly text: string
  readonly id: string
  readonly purpose: 'api_key' | 'access'
  /** Undefined for a client without a user. */
  readonly user: string | undefined
  /** Seconds since 1970. */
  readonly expiresAtS: number
  /** Came from client credentials. */
  readonly isOfClient: boolean
}

export interface TokensOptions {
  readonly issuer: () => string
  /** Seconds since 1970. */
  readonly nowS: () => number
}

export interface IssueOptions {
  readonly purpose: Token['purpose']
  readonly user?: string | undefined
  readonly client?: string | undefined
  readonly ttlS: number
  /** Well-formed and not remembered, as if another had signed it. */
  readonly isForged?: boolean | undefined
}

const SCOPES = ['openid', 'user', 'credentials', 'data', 'google_credentials', 'google_link', 'ga4gh_passport_v1']

/** What a commons has issued. Only that is valid, and only until it expires. */
export class Tokens {
  readonly #options: TokensOptions
  readonly #known = new Map<string, Token>()

  constructor(options: TokensOptions) {
    this.#options = options
  }

  issue({ purpose, user, client, ttlS, isForged = false }: IssueOptions): Token {
    const id = randomUUID()
    const now = Math.floor(this.#options.nowS())
    const expiresAtS = now + ttlS
    const userContext = { user: { name: user, is_admin: false, google: { proxy_group: null } } }
    const text = makeJwt({
      pur: purpose,
      sub: user === undefined ? '' : String(userId(user)),
      iss: this.#options.issuer(),
      aud: ['gen3'],
      iat: Math.min(now, expiresAtS - 1),
      exp: expiresAtS,
      jti: id,
      azp: client ?? '',
      scope: SCOPES,
      ...(purpose === 'access' && user !== undefined ? { context: userContext } : {}),
    })
    const token = { text, id, purpose, user, expiresAtS, isOfClient: client !== undefined }
    if (!isForged) this.#known.set(text, token)
    return token
  }

  /** The token if it was issued here, is not revoked and has not expired. */
  find(text: string | undefined, purpose: Token['purpose']): Token | undefined {
    const token = text === undefined ? undefined : this.#known.get(text)
    return token?.purpose === purpose && token.expiresAtS > this.#options.nowS() ? token : undefined
  }

  /** Everything of a purpose is denied from now on. */
  revoke(purpose: Token['purpose']): void {
    for (const [text, token] of this.#known) if (token.purpose === purpose) this.#known.delete(text)
  }
}

/** A small number that goes with a name. */
export function userId(name: string): number {
  return [...name].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 100_000, 1)
}
