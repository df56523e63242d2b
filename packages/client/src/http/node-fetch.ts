/**
 * `fetch` as far as a librarian needs it, over node:http. The global one gives up after five minutes without an answer, and a
 * server that hashes a large file before it answers may need more (librarian 11.11). It follows no redirect: credentials stay
 * with the origin that the user named. Failures carry the codes of Node and undici.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { coded, isAboutScheme, SPEAKS_HTTPS, withRightScheme } from './other-scheme.ts'

export interface NodeFetchOptions {
  /** Longest silence of a server that has the request; undefined: no limit. */
  readonly timeoutMs: number | undefined
  /** Longest wait for a connection. Default 10,000. */
  readonly connectMs?: number | undefined
  /** Use a connection again. Only for callers that repeat what a closing server has swallowed. Default false. */
  readonly keepAlive?: boolean | undefined
  /** Largest answer that is read. Default 512 MiB: a manifest of a store may be large. */
  readonly mostBytes?: number | undefined
}

export interface NodeFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** Ends kept connections. */
  close(): void
}

export function createNodeFetch(options: NodeFetchOptions): NodeFetch {
  const { keepAlive = false } = options
  const agents = { http: new HttpAgent({ keepAlive }), https: new HttpsAgent({ keepAlive }) }
  const fetch = (input: string | URL | Request, init: RequestInit = {}) =>
    send(new URL(input instanceof Request ? input.url : input), init, agents, options)
  return Object.assign(fetch, {
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  })
}

const unsent = new WeakSet<object>()

/** Whether a call failed before anything of it was sent, as far as TLS: the codes alone do not tell that. */
export function wasUnsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unsent.has(error)
}

interface Agents {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

function send(url: URL, init: RequestInit, agents: Agents, options: NodeFetchOptions): Promise<Response> {
  const { timeoutMs, connectMs = 10_000 } = options
  const signal = init.signal ?? undefined
  const body = bytesOf(init.body)
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const isTls = url.protocol === 'https:'
    const request = (isTls ? requestHttps : requestHttp)(url, {
      method: init.method ?? 'GET',
      headers: { ...Object.fromEntries(new Headers(init.headers)), 'content-length': body?.length ?? 0 },
      agent: isTls ? agents.https : agents.http,
    })
    let isConnected = false
    const fail = (error: unknown) => {
      if (!isConnected && error instanceof Error) unsent.add(error)
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      request.destroy()
      reject(error)
    }
    const onAbort = () => fail(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer = setTimeout(() => fail(coded('UND_ERR_CONNECT_TIMEOUT')), connectMs)
    request.on('socket', socket => {
      const connected = () => {
        isConnected = true
        clearTimeout(timer)
        if (timeoutMs === undefined) return
        // Silence counts, not the whole: a body on its way is no silence.
        request.setTimeout(timeoutMs, () => fail(coded('UND_ERR_HEADERS_TIMEOUT')))
      }
      if (socket.connecting) socket.once(isTls ? 'secureConnect' : 'connect', connected)
      else connected()
    })
    request.on('error', error => void withRightScheme(error, url).then(fail))
    request.on('response', response => {
      clearTimeout(timer)
      readAnswer(response, options).then(async answer => {
        if (!isTls && answer.status === 400 && isAboutScheme(400, await answer.clone().text())) {
          return fail(coded(SPEAKS_HTTPS))
        }
        signal?.removeEventListener('abort', onAbort)
        resolve(answer)
      }, fail)
    })
    request.end(body)
  })
}

async function readAnswer(response: IncomingMessage, { mostBytes = 512 << 20 }: NodeFetchOptions): Promise<Response> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > mostBytes) throw new Error(`the answer has more than ${mostBytes} bytes`)
  }
  if (!response.complete) throw coded('ECONNRESET')
  const status = response.statusCode ?? 0
  const headers = new Headers()
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  const isBodiless = status === 204 || status === 205 || status === 304
  return new Response(isBodiless ? null : Buffer.concat(chunks), { status, headers })
}

function bytesOf(body: RequestInit['body']): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string') return Buffer.from(body, 'utf8')
  if (body instanceof Uint8Array) return body
  throw new TypeError('Cannot send this kind of body: text or bytes are needed')
}
