/**
 * Requests for bytes to one librarian, on connections of their own, so that those from before a cut can be left behind: routers on
 * the way may know nothing of them any more.
 */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { PeerConnection } from '../../peer-connections.ts'
import { headersFor } from './addresses.ts'

export interface PeerRequest {
  readonly signal: AbortSignal
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** JSON; sent by POST. Default: none, and GET. */
  readonly body?: string | undefined
}

const CONNECT_MS = 10_000
/** Those who know better end it earlier. */
const IDLE_MS = 300_000

export class PeerRequests implements Disposable {
  /** Scheme, name, port and prefix of whom is asked. */
  readonly address: string
  readonly #peer: PeerConnection
  readonly #agent: PlainAgent
  readonly #request: typeof plainRequest

  constructor(peer: PeerConnection) {
    this.address = peer.connection.address
    const isSecure = this.address.startsWith('https:')
    this.#peer = peer
    this.#agent = isSecure ? new SecureAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true })
    this.#request = isSecure ? secureRequest : plainRequest
  }

  /**
   * Resolves with the head of the answer, whatever it says; it leads nowhere else. Its body rejects when it is cut short.
   *
   * @throws what the network says, the signal's reason
   */
  async send(url: string, request: PeerRequest): Promise<IncomingMessage> {
    for (;;) {
      try {
        return await this.#sendOnce(url, request)
      } catch (error) {
        request.signal.throwIfAborted()
        // It was closed as we took it up: nobody has read what we sent.
        if (!(error instanceof Stale)) throw error
        this.renew()
      }
    }
  }

  /** Resolves when it, or whoever stands before it, has answered on a connection that is made for this. */
  async probe(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const request = this.#request(`${this.address}/health/live`, { agent: false, signal }, response => {
        resolve()
        response.destroy()
      })
      request.on('error', reject).end()
    })
  }

  /** Connections that nobody uses now are not used again. */
  renew(): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  #sendOnce(url: string, { signal, headers, body }: PeerRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const more = body === undefined ? {} : { 'content-type': 'application/json' }
      const request = this.#request(
        url,
        {
          method: body === undefined ? 'GET' : 'POST',
          agent: this.#agent,
          headers: { ...headersFor(this.#peer), ...more, ...headers },
          signal,
          timeout: IDLE_MS,
        },
        resolve,
      )
      let timer: NodeJS.Timeout | undefined
      request.once('socket', socket => {
        if (!socket.connecting) return
        timer = setTimeout(() => request.destroy(new TimedOut(`no connection within ${CONNECT_MS} ms`)), CONNECT_MS)
        socket.once('connect', () => clearTimeout(timer))
      })
      request.once('timeout', () => request.destroy(new TimedOut(`nothing came for ${IDLE_MS} ms`)))
      request.once('close', () => clearTimeout(timer))
      request.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        reject(isStale ? new Stale(error.message, { cause: error }) : error)
      })
      request.end(body)
    })
  }
}

class TimedOut extends Error {
  readonly code = 'ETIMEDOUT'
}

class Stale extends Error {}
