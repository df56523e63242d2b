/** The wire’s own client, with the session’s cookie instead of a password. */
import { type Connection, connect, SESSION_HEADER } from '@arriero/api'

export interface ClientOptions {
  readonly fetch: typeof globalThis.fetch
  /** Scheme, name and port of the server that the pages came from. */
  readonly origin: string
  /** Of the session; undefined: there is none. */
  readonly csrf: () => string | undefined
  /** Told of an answer that says 401: the session may have ended. */
  readonly onDenied: () => void
}

export function createClient(options: ClientOptions): Connection {
  return connect({
    url: options.origin,
    user: '',
    password: '',
    fetch: withSession(options),
    idempotencyKeys: randomKey,
    // A person waits; what matters is asked again soon in any case.
    retries: 1,
    longestWaitMs: 5000,
  })
}

/** Sends no Authorization: the cookie is sent by the browser, and the header shows that it was our page that asked. */
export function withSession({ fetch, csrf, onDenied }: ClientOptions): typeof globalThis.fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers)
    headers.delete('authorization')
    const token = csrf()
    if (token !== undefined) headers.set(SESSION_HEADER, token)
    const response = await fetch(input, { ...init, headers, credentials: 'same-origin' })
    if (response.status === 401) onDenied()
    return response
  }
}

/** The browser’s own UUIDs are only for pages that came over TLS. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

/** Where a file’s bytes are. */
export function dataUrl(fileName: string): string {
  return `/api/v2/data/${fileName.split('/').map(encodeURIComponent).join('/')}`
}
