/**
 * The general lane: undici without redirects, retries and decoding. It carries first contacts, credentials, proxies and
 * every odd body; what an answer means is decided by its callers.
 *
 * undici reports some bodies as complete that were cut: those that only the closing of the connection ends (RFC 9112,
 * 6.3). `framing` in the verdict tells them apart; nothing here can.
 */

import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import type { AnswerHead } from './answer-head.ts'
import type { TimeoutsMs, TlsOptions } from './lane-options.ts'
import { networkError } from './network-error.ts'
import type { Proxies } from './proxies.ts'
import type { RequestHeaders } from './request-headers.ts'
import { portOf } from './request-url.ts'
import { Agent, loadEnvHttpProxyAgent } from './undici.ts'

export interface GeneralLaneOptions {
  readonly timeouts: TimeoutsMs
  readonly tls: TlsOptions
  readonly lookup: LookupFunction
  readonly proxies: Proxies | undefined
}

export interface GeneralRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: URL
  /** What stands in the request line. Default: the URL's path and query. */
  readonly target?: string | undefined
  readonly headers: RequestHeaders
  /** For POST. */
  readonly body?: string | undefined
  readonly signal: AbortSignal
  /** Redacted, for messages. */
  readonly uri: string
  /** Connections are not shared between identities. */
  readonly identity: string
  /** On a connection of its own, closed afterwards. */
  readonly fresh?: boolean | undefined
}

/** An answer under way. */
export interface Exchange extends AnswerHead {
  /** The next piece of the body; undefined at its end. Not reading stops the sender. */
  next(): Promise<Uint8Array | undefined>
  /** Reads and drops a short rest to keep the connection; drops the connection if it is longer, or slow to come. */
  drain(limit?: number): Promise<void>
  /** Ends the request at once. */
  cancel(): void
}

/** Read ahead of the consumer, so that the parser is not paused at every piece. */
const READ_AHEAD = 128 * 1024
/** A connection that takes longer to come to the end of its answer is not worth keeping. */
const DRAIN_MS = 500

export class GeneralLane {
  readonly #options: GeneralLaneOptions
  readonly #agents = new Map<string, Dispatcher>()
  #isClosed = false

  constructor(options: GeneralLaneOptions) {
    this.#options = options
  }

  /** Resolves with the head of the final answer. Rejects with a TransferError, or the signal's reason. */
  send(request: GeneralRequest): Promise<Exchange> {
    if (request.signal.aborted) return Promise.reject(request.signal.reason)
    const agent = request.fresh ? this.#makeAgent() : this.#agent(request.identity)
    const exchange = new UndiciExchange(request, () => {
      if (request.fresh) void agent.destroy().catch(() => {})
    })
    const { url, target = url.pathname + url.search, method, headers, body = null } = request
    try {
      agent.dispatch({ origin: url.origin, path: target, method, headers: { ...headers }, body }, exchange)
    } catch (error) {
      exchange.onResponseError(undefined, error as Error)
    }
    return exchange.head
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#agents.values()].map(agent => agent.destroy()))
    this.#agents.clear()
  }

  #agent(identity: string): Dispatcher {
    if (this.#isClosed) throw new Error('Cannot connect: the lane is closed')
    let agent = this.#agents.get(identity)
    if (!agent) {
      agent = this.#makeAgent()
      this.#agents.set(identity, agent)
    }
    return agent
  }

  #makeAgent(): Dispatcher {
    const { timeouts, tls, lookup, proxies } = this.#options
    const secure = {
      ...(tls.ca === undefined ? {} : { ca: tls.ca as string | string[] }),
      ...(tls.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: tls.rejectUnauthorized }),
    }
    const options = {
      allowH2: false,
      headersTimeout: timeouts.firstByteMs,
      bodyTimeout: timeouts.idleMs,
      connect: { ...secure, lookup, timeout: timeouts.connectMs },
    } as const
    if (!proxies) return new Agent(options)
    return new (loadEnvHttpProxyAgent())({
      ...options,
      ...proxies.variables,
      connectTimeout: timeouts.connectMs,
      requestTls: { ...secure, timeout: timeouts.connectMs },
      proxyTls: { ...secure, timeout: timeouts.connectMs },
    })
  }
}

class UndiciExchange implements Exchange, Dispatcher.DispatchHandler {
  status = 0
  headers: AnswerHead['headers'] = {}
  readonly #request: GeneralRequest
  readonly #onOver: () => void
  readonly #head = Promise.withResolvers<Exchange>()
  readonly #onAbort = () => this.#abort(this.#request.signal.reason)
  #controller: Dispatcher.DispatchController | undefined
  #queue: Uint8Array[] = []
  #queued = 0
  #waiter: PromiseWithResolvers<void> | undefined
  #end: { readonly error: unknown } | 'complete' | undefined

  constructor(request: GeneralRequest, onOver: () => void) {
    this.#request = request
    this.#onOver = onOver
    request.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get head(): Promise<Exchange> {
    return this.#head.promise
  }

  // ---- for undici

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#end) controller.abort(CANCELLED)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return
    this.status = status
    this.headers = headersOf(controller.rawHeaders as readonly Uint8Array[] | null | undefined)
    this.#head.resolve(this)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#end) return
    this.#queue.push(chunk)
    this.#queued += chunk.length
    if (this.#queued >= READ_AHEAD) controller.pause()
    this.#wake()
  }

  onResponseEnd(): void {
    this.#over('complete')
  }

  onResponseError(_controller: unknown, cause: Error): void {
    const { url, uri } = this.#request
    this.#over({ error: networkError(cause, `${url.hostname}:${portOf(url)}`, uri) })
  }

  // ---- for callers

  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#queue.shift()
      if (chunk) {
        this.#queued -= chunk.length
        if (this.#queued < READ_AHEAD) this.#controller?.resume()
        return chunk
      }
      if (this.#end === 'complete') return undefined
      if (this.#end) throw this.#end.error
      this.#waiter ??= Promise.withResolvers()
      await this.#waiter.promise
    }
  }

  async drain(limit = 64 * 1024): Promise<void> {
    let dropped = 0
    const timer = setTimeout(() => this.cancel(), DRAIN_MS)
    try {
      for (;;) {
        const chunk = await this.next()
        if (!chunk) return
        dropped += chunk.length
        if (dropped > limit) return this.cancel()
      }
    } catch {
      // The connection is gone: all that draining was for. An abort is noticed by the next step.
    } finally {
      clearTimeout(timer)
    }
  }

  cancel(): void {
    this.#abort(CANCELLED)
  }

  #abort(reason: unknown): void {
    if (this.#end === 'complete') {
      this.#queue = []
      return
    }
    // First the ending is noted: undici reports the abort as an error of its own.
    this.#queue = []
    this.#over({ error: reason })
    this.#controller?.abort(CANCELLED)
  }

  #over(end: { readonly error: unknown } | 'complete'): void {
    if (this.#end) return
    this.#end = end
    this.#request.signal.removeEventListener('abort', this.#onAbort)
    if (end !== 'complete') this.#head.reject(end.error)
    this.#wake()
    this.#onOver()
  }

  #wake(): void {
    this.#waiter?.resolve()
    this.#waiter = undefined
  }
}

const CANCELLED = new Error('The rest of the answer is not wanted')

/** undici's own parsing would fold some fields; both lanes must see the same. */
function headersOf(raw: readonly Uint8Array[] | null | undefined): AnswerHead['headers'] {
  const headers: Record<string, string | string[]> = Object.create(null)
  for (let index = 0; index + 1 < (raw?.length ?? 0); index += 2) {
    const name = Buffer.from(raw?.[index] as Uint8Array)
      .toString('latin1')
      .toLowerCase()
    const value = Buffer.from(raw?.[index + 1] as Uint8Array)
      .toString('latin1')
      .trim()
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (typeof before === 'string') headers[name] = [before, value]
    else before.push(value)
  }
  return headers
}
