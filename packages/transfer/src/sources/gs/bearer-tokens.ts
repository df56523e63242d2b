import { createHash } from 'node:crypto'
import { abortable } from '../../abortable.ts'
import type { HttpCredentials, Refusal } from '../../http/credentials.ts'
import type { RequestHeaders } from '../../http/request-headers.ts'
import type { SourceContext } from '../registry.ts'
import type { GsIdentity } from './options.ts'

/** An access token. */
export interface Token {
  readonly value: string
  /** When it dies, milliseconds since 1970; undefined: unknown. */
  readonly expiresAt: number | undefined
}

/** Makes a new token; undefined: nobody is logged in. */
export type MintToken = () => Promise<Token | undefined>

/** Metadata servers hand out the same token until 4 to 5 minutes before its end: asking earlier brings nothing new. */
const EARLY_MS = 225_000

/**
 * A token for many requests: made when the first one asks, renewed before it dies and after a 401, one at a time whoever
 * asks. While an old one is good, a failure to renew it is no failure.
 */
export class BearerTokens implements HttpCredentials, AsyncDisposable {
  readonly #mint: MintToken
  readonly #now: () => number
  #token: Token | undefined
  #headers: RequestHeaders = {}
  #renewAt = Number.NEGATIVE_INFINITY
  #minting: Promise<void> | undefined
  #isKnown = false

  constructor(mint: MintToken, now: () => number = Date.now) {
    this.#mint = mint
    this.#now = now
  }

  /** Nobody is logged in, as far as is known. */
  get isAnonymous(): boolean {
    return this.#isKnown && this.#token === undefined
  }

  headers(): RequestHeaders | Promise<RequestHeaders> {
    if (this.#isKnown && this.#now() < this.#renewAt) return this.#headers
    return this.#renewed()
  }

  async refresh({ status, sent, signal }: Refusal): Promise<boolean> {
    // 403 is said of who is known: another token of the same one is refused, too.
    if (status !== 401 || this.isAnonymous) return false
    const isCurrent = () => sent.authorization === this.#headers.authorization
    // Requests are refused together: the first of them to say so has renewed the token for the others.
    if (isCurrent()) await abortable(this.#renew(), signal)
    return !isCurrent()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#token = undefined
    this.#headers = {}
    this.#isKnown = false
  }

  async #renewed(): Promise<RequestHeaders> {
    try {
      await this.#renew()
    } catch (error) {
      if (this.#token === undefined || expiryOf(this.#token) <= this.#now()) throw error
    }
    return this.#headers
  }

  #renew(): Promise<void> {
    this.#minting ??= this.#mintOnce().finally(() => {
      this.#minting = undefined
    })
    return this.#minting
  }

  async #mintOnce(): Promise<void> {
    this.#token = await this.#mint()
    this.#isKnown = true
    const lives = expiryOf(this.#token) - this.#now()
    // Tokens that live for minutes are used, too, for half of them.
    this.#renewAt = this.#now() + Math.max(lives - EARLY_MS, lives / 2)
    this.#headers = this.#token ? { authorization: `Bearer ${this.#token.value}` } : {}
  }
}

function expiryOf(token: Token | undefined): number {
  return token?.expiresAt ?? Number.POSITIVE_INFINITY
}

/** Tokens of one identity, shared by all sources of an engine; undefined: none are sent. */
export function tokensOf(identity: GsIdentity, { shared }: Pick<SourceContext, 'shared'>): BearerTokens | undefined {
  switch (identity.is) {
    case 'anonymous':
      return undefined
    case 'token': {
      const { token } = identity
      const key = createHash('sha256').update(token).digest('hex')
      return shared(`gs token ${key}`, () => new BearerTokens(async () => ({ value: token, expiresAt: undefined })))
    }
    case 'credentials': {
      const { file } = identity
      return shared(`gs credentials ${file ?? ''}`, () => {
        return new BearerTokens(async () => (await import('./google-token.ts')).mintGoogleToken(file))
      })
    }
  }
}
