import type { RequestHeaders } from './request-headers.ts'

/** What a provider is asked for headers for. */
export interface CredentialRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: URL
  /** What stands in the request line. Default: the URL's path and query. */
  readonly target?: string | undefined
}

/** Why new credentials are wanted. */
export interface Refusal {
  readonly status: number
  readonly url: URL
  /** What the provider gave for the request that was refused. */
  readonly sent: RequestHeaders
  readonly signal: AbortSignal
}

/**
 * Who may read. The headers go to the source's own origin only, whatever redirects say; connections are not shared
 * between different provider objects.
 */
export interface HttpCredentials {
  /** Headers for one request, names in lower case; asked before every request, so it should be quick. */
  headers(request: CredentialRequest): RequestHeaders | Promise<RequestHeaders>
  /** The server refused (401, 403). True: there is something new to try; asked at most once per request. */
  refresh?(refusal: Refusal): Promise<boolean>
}
