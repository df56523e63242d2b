/** Proxies as the environment names them; `undefined` variables are unset. */
export interface Proxies {
  readonly variables: {
    readonly httpProxy?: string
    readonly httpsProxy?: string
    readonly noProxy: string
  }
  /** Whether a request for this URL may go through a proxy; when in doubt, true. */
  mayProxy(url: URL): boolean
}

/** Reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY, small letters first as curl does; undefined when none is set. */
export function proxiesFrom(env: Readonly<Record<string, string | undefined>>): Proxies | undefined {
  const httpProxy = env.http_proxy || env.HTTP_PROXY
  const httpsProxy = env.https_proxy || env.HTTPS_PROXY
  if (!httpProxy && !httpsProxy) return undefined
  const noProxy = env.no_proxy ?? env.NO_PROXY ?? ''
  const exempt = noProxy
    .split(/[\s,]+/)
    .filter(entry => entry !== '')
    .map(entry => entry.toLowerCase().replace(/^\*?\./, ''))
  return {
    // An empty string keeps undici from looking at the process's own environment.
    variables: { httpProxy: httpProxy ?? '', httpsProxy: httpsProxy ?? '', noProxy },
    mayProxy: url => !exempt.some(entry => isExempt(url.hostname.toLowerCase(), entry)),
  }
}

function isExempt(host: string, entry: string): boolean {
  return entry === '*' || host === entry || host.endsWith(`.${entry}`)
}
