/** Tokens for other commons, kept by the workspace token service of the home commons (gen3 3). */
import { TransferError } from '../errors.ts'
import { issuedToken } from './access-token.ts'
import { answerText } from './answer-text.ts'
import { jsonOf } from './api.ts'
import type { IssuedToken } from './authority.ts'
import type { Service } from './service.ts'

export interface Provider {
  readonly idp: string
  /** Host and port of the other commons. */
  readonly host: string
  readonly base: string
  /** Where a person connects the two. */
  readonly link?: string | undefined
}

export class TokenService {
  readonly #home: Service
  #providers: Promise<readonly Provider[]> | undefined

  constructor(home: Service) {
    this.#home = home
  }

  /** The other commons that the home commons can speak for; none where it has no such service. */
  providers(signal: AbortSignal): Promise<readonly Provider[]> {
    this.#providers ??= this.#ask(signal).catch(error => {
      this.#providers = undefined
      throw error
    })
    return this.#providers
  }

  async issue(provider: Provider, signal: AbortSignal): Promise<IssuedToken> {
    const askedAt = Date.now()
    const answer = await this.#home.ask(`/wts/token/?idp=${encodeURIComponent(provider.idp)}`, { signal })
    if (answer.status === 200) return issuedToken(answer, 'token', provider.base, askedAt)
    const said = answerText(answer)
    const message = `Cannot log in at ${provider.host} through ${this.#home.host}: it answered ${answer.status}`
    throw new TransferError('Denied', message + (said && `: ${said}`), {
      status: answer.status,
      reason: 'not_connected',
      remedy: provider.link && `Connect it at ${provider.link}.`,
    })
  }

  async #ask(signal: AbortSignal): Promise<readonly Provider[]> {
    const answer = await this.#home.ask('/wts/external_oidc/', { signal, retries: { 500: 2, 502: 2, 503: 2, 504: 2 } })
    if (answer.status !== 200 || /^\s*</.test(answer.body)) return []
    const { providers } = (jsonOf(answer, this.#home.base) ?? {}) as { providers?: unknown }
    return (Array.isArray(providers) ? providers : []).flatMap(given => {
      const { idp, base_url, urls } = (given ?? {}) as Record<string, unknown>
      const url = typeof base_url === 'string' ? URL.parse(base_url) : null
      if (!url || typeof idp !== 'string') return []
      const link = Array.isArray(urls) ? (urls[0] as { url?: unknown } | undefined)?.url : undefined
      return [{ idp, host: url.host, base: url.origin, link: typeof link === 'string' ? link : undefined }]
    })
  }
}
