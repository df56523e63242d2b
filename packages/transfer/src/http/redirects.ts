/**
 * Following redirects without carrying secrets along (retrieval 8.3, reliability F1). Pure: one hop in, one hop out.
 *
 *     other scheme, host or port   every credential-bearing header is dropped, and because a hop is made from the one
 *                                  before it, none can come back when the chain returns to the first origin
 *     user-info in a URL           becomes that hop's Authorization, never part of a request line
 *     signature in the query       no Authorization beside it
 *     https to http, other schemes refused
 */
import { TransferError } from '../errors.ts'
import { isQuerySigned } from './expiry.ts'
import { isSecretHeader, type RequestHeaders } from './request-headers.ts'
import { originOf, type RequestUrl, withoutUserInfo } from './request-url.ts'

/** One request of a chain: where, with which headers, and what came before. */
export interface Hop {
  readonly url: URL
  /** What stands in the request line; differs from the URL's path and query only where a source says so. */
  readonly target: string
  readonly headers: RequestHeaders
  /** URLs asked so far, this one included. */
  readonly visited: readonly string[]
  /** Whether the chain has ever left the first origin: credentials must not be added any more. */
  readonly hasLeftOrigin: boolean
}

export interface RedirectOptions {
  /** Lower-case names of headers that belong to one origin, besides the usual ones. */
  readonly secretHeaders: ReadonlySet<string>
  /** Follow https to http. Default false. */
  readonly allowDowngrade?: boolean | undefined
}

export const MAX_HOPS = 20

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

export function firstHop({ url, authorization }: RequestUrl, headers: RequestHeaders, target = targetOf(url)): Hop {
  return {
    url,
    target,
    headers: withAuthorization(url, headers, authorization),
    visited: [url.href],
    hasLeftOrigin: false,
  }
}

/** The hop that a Location leads to. Throws TransferError('Redirect'); messages name hosts, never queries. */
export function nextHop(hop: Hop, location: string | undefined, options: RedirectOptions): Hop {
  const { url, authorization } = withoutUserInfo(resolve(hop.url, location))
  const from = hop.url.host
  if (hop.url.protocol === 'https:' && url.protocol === 'http:' && !options.allowDowngrade) {
    throw refuse(from, `it leads from https to http (${url.host}); allow downgrades if this is wanted`)
  }
  if (hop.visited.includes(url.href)) throw refuse(from, `it leads back to a URL of the same chain at ${url.host}`)
  if (hop.visited.length > MAX_HOPS) throw refuse(from, `more than ${MAX_HOPS} redirects`)
  const isSameOrigin = originOf(url) === originOf(hop.url)
  const headers = isSameOrigin ? hop.headers : withoutSecrets(hop.headers, options.secretHeaders)
  return {
    url,
    target: targetOf(url),
    headers: withAuthorization(url, headers, authorization),
    visited: [...hop.visited, url.href],
    hasLeftOrigin: hop.hasLeftOrigin || !isSameOrigin,
  }
}

function targetOf(url: URL): string {
  return url.pathname + url.search
}

function resolve(base: URL, location: string | undefined): URL {
  if (location === undefined || location === '') throw refuse(base.host, 'it names no Location')
  // The URL parser would drop tabs and newlines silently; nothing honest sends them.
  if (/[\x00-\x1f\x7f]/.test(location)) throw refuse(base.host, 'its Location has control characters')
  const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined
  if (!url) throw refuse(base.host, 'its Location is not a URL')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse(base.host, `it leads to ${url.protocol}`)
  return url
}

function withoutSecrets(headers: RequestHeaders, secretHeaders: ReadonlySet<string>): RequestHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !isSecretHeader(name) && !secretHeaders.has(name)),
  )
}

function withAuthorization(url: URL, headers: RequestHeaders, authorization: string | undefined): RequestHeaders {
  if (isQuerySigned(url)) {
    const { authorization: _, ...rest } = headers
    return rest
  }
  return authorization === undefined ? headers : { ...headers, authorization }
}

function refuse(host: string, why: string): TransferError {
  return new TransferError('Redirect', `Cannot follow the redirect of ${host}: ${why}`)
}
