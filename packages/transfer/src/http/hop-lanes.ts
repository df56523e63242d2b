import type { HttpCredentials } from './credentials.ts'
import { isQuerySigned } from './expiry.ts'
import type { FastPool } from './fast-lane.ts'
import type { Exchange } from './general-lane.ts'
import { hostOf, type Origins } from './origins.ts'
import type { Hop } from './redirects.ts'
import { checkedHeaders, type RequestHeaders, secretValues } from './request-headers.ts'
import { type AcceptedCoding, fieldLines } from './request-text.ts'
import { originOf, portOf } from './request-url.ts'

export interface HopLanesOptions {
  readonly origins: Origins
  readonly credentials: HttpCredentials | undefined
  /** In lower case. */
  readonly secretHeaders: ReadonlySet<string>
  readonly accepted: AcceptedCoding
  /** Redacted, for messages. */
  uri(): string
}

export interface HopRequest {
  readonly method: 'GET' | 'HEAD'
  /** Beside those of the hop. */
  readonly headers: RequestHeaders
  readonly signal: AbortSignal
  /** On a connection of its own. */
  readonly fresh?: boolean | undefined
}

/** How the fast lane reaches a hop: computed once, used by every request. */
export interface FastRoute {
  readonly hop: Hop
  readonly pool: FastPool
  readonly target: string
  readonly fields: string
}

/** The two lanes to the hops of one resource; credentials and identity go with them, to its own origin only. */
export class HopLanes {
  readonly #o: HopLanesOptions
  readonly #identity: string
  /** What the provider gave for a request. */
  readonly #given = new WeakMap<Exchange, RequestHeaders>()
  #route: FastRoute | undefined

  constructor(options: HopLanesOptions) {
    this.#o = options
    this.#identity = options.origins.identityOf(options.credentials)
  }

  /** The general lane. */
  async send(hop: Hop, { method, headers: asked, signal, fresh }: HopRequest): Promise<Exchange> {
    const { origins } = this.#o
    const uri = this.#o.uri()
    const checking = origins.checkAddress(hop.url, uri)
    if (checking) await checking
    const more = await this.credentialHeaders(method, hop)
    signal.throwIfAborted()
    const given = more && checkedHeaders(more)
    const headers = { ...hop.headers, ...given, ...asked }
    const identity = `${this.#identityAt(hop)}\n${this.#secretsOf(hop).join('\n')}`
    const { url, target } = hop
    const exchange = await origins.general.send({ method, url, target, headers, signal, uri, identity, fresh })
    if (given) this.#given.set(exchange, given)
    return exchange
  }

  /** The fast lane; the lines of the credentials are added for each request. */
  routeTo(hop: Hop): FastRoute {
    if (this.#route?.hop === hop) return this.#route
    const { url, headers } = hop
    const fields = fieldLines(url, headers, this.#o.accepted)
    const target = { isTls: url.protocol === 'https:', host: hostOf(url), port: portOf(url) }
    // The lines hold the credentials: connections are shared only by those who send the same.
    const pool = this.#o.origins.fast.pool(`${originOf(url)}\n${this.#identityAt(hop)}\n${fields}`, target)
    this.#route = { hop, pool, target: hop.target, fields }
    return this.#route
  }

  /** Only for the source's own origin; undefined when there is nothing to add. */
  credentialHeaders(method: 'GET' | 'HEAD', hop: Hop): RequestHeaders | Promise<RequestHeaders> | undefined {
    const { credentials } = this.#o
    if (!credentials || hop.hasLeftOrigin || isQuerySigned(hop.url)) return undefined
    return credentials.headers({ method, url: hop.url, target: hop.target })
  }

  /** After a refusal: whether another request would have other credentials. */
  async renew(refused: Exchange, hop: Hop, { url, signal }: { url: URL; signal: AbortSignal }): Promise<boolean> {
    const { credentials } = this.#o
    if (!credentials?.refresh || hop.hasLeftOrigin) return false
    const sent = this.#given.get(refused) ?? {}
    const isRenewed = await credentials.refresh({ status: refused.status, url, sent, signal })
    signal.throwIfAborted()
    return isRenewed
  }

  /** What was sent with a request and must not be shown. */
  secretsSent(exchange: Exchange, hop: Hop): string[] {
    return [...this.#secretsOf(hop), ...secretValues(this.#given.get(exchange) ?? {})]
  }

  close(): void {
    this.#route = undefined
  }

  #secretsOf(hop: Hop): string[] {
    return secretValues(hop.headers, this.#o.secretHeaders)
  }

  #identityAt(hop: Hop): string {
    return hop.hasLeftOrigin ? '' : this.#identity
  }
}
