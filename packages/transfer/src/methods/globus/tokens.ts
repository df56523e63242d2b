/**
 * The access token for the transfer service: asked for by one of two grants (librarian 9.3), kept until shortly before its
 * end, shared by whoever needs it meanwhile.
 */
import { abortable } from '../../abortable.ts'
import type { Clock } from '../../clock.ts'
import { TransferError } from '../../errors.ts'
import { type ExchangeOptions, exchange, type GlobusDocument } from './exchange.ts'
import type { GlobusMethodOptions } from './options.ts'

const RESOURCE_SERVER = 'transfer.api.globus.org'
const SCOPE = 'urn:globus:auth:scope:transfer.api.globus.org:all'
const PURPOSE = 'log in to Globus'

/** s before its end at which a token is no longer used: clocks and answers take their time. */
const MARGIN = 60

interface Token {
  readonly text: string
  /** Of our monotonic clock, ms. */
  readonly until: number
}

export interface GlobusTokensOptions
  extends Pick<GlobusMethodOptions, 'clientId' | 'clientSecret' | 'nativeApp'>,
    Pick<ExchangeOptions, 'fetch' | 'origin' | 'timeoutMs'> {
  readonly clock: Clock
}

export class GlobusTokens {
  readonly #options: GlobusTokensOptions
  #token: Token | undefined
  #asking: Promise<Token> | undefined

  constructor(options: GlobusTokensOptions) {
    this.#options = options
  }

  /** @throws TransferError Denied where the service does not take the credentials, and what passes */
  async get(signal?: AbortSignal): Promise<string> {
    if (this.#token && this.#options.clock.now() < this.#token.until) return this.#token.text
    // One that gives up does not take it from the others.
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    const asking = this.#asking
    return (await (signal ? abortable(asking, signal) : asking)).text
  }

  /** The service does not take it any more. */
  forget(text: string): void {
    if (this.#token?.text === text) this.#token = undefined
  }

  async #ask(): Promise<Token> {
    const { clientId, clientSecret, nativeApp, clock } = this.#options
    const { oauth2 } = await import('@globus/sdk/services/auth')
    const asked = clock.now()
    const secret = clientSecret()
    const answer = await exchange(
      sdk =>
        nativeApp
          ? oauth2.token.refresh(
              { payload: { grant_type: 'refresh_token', refresh_token: secret, client_id: clientId } },
              sdk,
            )
          : oauth2.token.token(
              {
                // The SDK's type knows one grant only; it sends what it is given.
                payload: { grant_type: 'client_credentials', scope: SCOPE } as never,
                headers: { Authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
              },
              sdk,
            ),
      { ...this.#options, purpose: PURPOSE, secrets: [secret] },
    ).catch(error => {
      throw asDenied(error)
    })
    this.#token = tokenIn(answer, asked)
    return this.#token
  }
}

/** Of a token endpoint, 400 says what 401 says: `invalid_grant`, `invalid_client`. */
function asDenied(error: unknown): unknown {
  if (!(error instanceof TransferError) || error.status !== 400) return error
  return new TransferError('Denied', error.message, error.details)
}

/** Of the resource server that is meant: a refresh token may be for several. */
function tokenIn(answer: GlobusDocument, asked: number): Token {
  const others = Array.isArray(answer.other_tokens) ? (answer.other_tokens as GlobusDocument[]) : []
  const found = [answer, ...others].find(({ resource_server }) => resource_server === RESOURCE_SERVER)
  if (typeof found?.access_token !== 'string') {
    throw new TransferError(
      'Denied',
      `Cannot ${PURPOSE}: the token must be for ${RESOURCE_SERVER}, it is for something else`,
    )
  }
  const seconds = Number(found.expires_in)
  return { text: found.access_token, until: asked + (Number.isFinite(seconds) ? seconds - MARGIN : 0) * 1000 }
}
