/**
 * A scripted HTTP/1.1 server on a loopback port: well-behaved by default, and wrong in exactly the way a test asks for
 * (retrieval 19, reliability 4 row N). Raw TCP or TLS, so that it can say what no HTTP library would let it say.
 *
 * ```ts
 * await using server = await startFaultServer()
 * server.resource('/data', { size: 13_631_489, script: faults.truncatesAtRandom(0.3, server.seed) })
 * await download(server.url('/data'), …)
 * expect(server.requests.length).toBeLessThan(20)
 * ```
 *
 * When a test fails, the seed and the latest requests are printed; `ARRIERO_SEED=n` repeats a run.
 */
import { createServer, type Server } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { planAnswer, type ResourceState } from './fault-server/answer.ts'
import type { Behaviour, Script } from './fault-server/behaviour.ts'
import { makeCertificate, type TestCertificate, type TestCertificateOptions } from './fault-server/certificate.ts'
import { Connection, type ConnectionHost } from './fault-server/connection.ts'
import { describeRequest, type FaultConnection, type FaultRequest } from './fault-server/log.ts'
import { Pacer } from './fault-server/pacer.ts'

export type { Behaviour, Ending, Script, ServedRange } from './fault-server/behaviour.ts'
export * as faults from './fault-server/faults.ts'
export type { FaultConnection, FaultRequest } from './fault-server/log.ts'
export type { AskedRange } from './fault-server/request.ts'

export interface FaultServerOptions {
  /** HTTPS with a self-signed certificate: trust `server.certificate`; or with a given one. */
  readonly tls?: boolean | TestCertificateOptions | TestCertificate | undefined
  /** Loopback address. Default 127.0.0.1. */
  readonly host?: string | undefined
  /** The name in `server.url()`. Default the address; `localhost` makes another origin of the same server. */
  readonly hostname?: string | undefined
  /** Decides about requests to every path, before the resource's own script, which overrides it. */
  readonly script?: Script | Behaviour | undefined
  /** Bytes per second of each connection. */
  readonly bytesPerSecondPerConnection?: number | ((connection: number) => number | undefined) | undefined
  /** Bytes per second of all connections together. */
  readonly bytesPerSecond?: number | undefined
  /** Connections beyond so many open ones are reset when they are accepted. */
  readonly maxConnections?: number | undefined
  /** Closes connections that were idle for so long, without a word. */
  readonly idleTimeoutMs?: number | undefined
  /** What random faults are drawn from. Default ARRIERO_SEED or a new one. */
  readonly seed?: number | undefined
}

export interface ResourceOptions {
  /** The content is D(size) of retrieval 18. Default 0. */
  readonly size?: number | undefined
  /** Given content, instead of `size`. */
  readonly bytes?: Uint8Array | string | undefined
  /** Other content of the same size; the default entity tag follows it. Default 0. */
  readonly version?: number | undefined
  /** Quotes included; false: none. Default made of size and version. */
  readonly etag?: string | false | undefined
  /** Milliseconds since 1970; false: none. Default 2026-01-02 03:04:05 UTC. */
  readonly lastModified?: number | false | undefined
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined
  /** How its answers depart from good behaviour: always the same, or decided per request. */
  readonly script?: Script | Behaviour | undefined
}

/** A resource being served. */
export interface FaultResource {
  readonly url: string
  /** Its requests so far. */
  readonly requests: readonly FaultRequest[]
  /** Body bytes handed to sockets for it. */
  readonly sent: number
  /** The resource becomes another one, from the next request on. */
  change(options: ResourceOptions): void
}

export interface FaultServer extends AsyncDisposable {
  readonly port: number
  /** `http://127.0.0.1:port` */
  readonly origin: string
  /** PEM of its certificate with `tls`; undefined without. */
  readonly certificate: string | undefined
  readonly seed: number
  /** Every request that could be parsed, in order of arrival. */
  readonly requests: readonly FaultRequest[]
  /** Every accepted connection, in order. */
  readonly connections: readonly FaultConnection[]
  /** What did not parse as a request, and why. */
  readonly malformed: readonly string[]
  /** Body bytes handed to sockets. */
  readonly sent: number
  readonly openConnections: number
  /** The most connections that were open at once. */
  readonly peakConnections: number
  /** The most requests that were being answered at once. */
  readonly peakRequests: number
  /** Where a name is served; the name begins with a slash. */
  url(name: string): string
  /** Serves a name; again: anew, with the counters of attempts going on. Names not served are answered 404. */
  resource(name: string, options?: ResourceOptions): FaultResource
  /** Serves every name that has no resource of its own. */
  fallback(options: ResourceOptions): void
  requestsFor(name: string): FaultRequest[]
  /** Ends all connections now; new ones are accepted. */
  dropConnections(ending?: 'fin' | 'rst'): void
  /** New connections are refused by the kernel until `listenAgain`; open ones live on. */
  stopListening(): Promise<void>
  listenAgain(): Promise<void>
  /** Ends everything at once. Throws what a script threw, unless that was seen before. */
  close(): Promise<void>
}

export async function startFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const server = new ScriptedServer(options)
  await server.listenAgain()
  await reportOnFailure(() => server.describe())
  return server
}

/**
 * A server for the far end of a redirect: every name is there (D(size)), and what headers arrived is in its log.
 */
export async function startRecordingOrigin(options: FaultServerOptions & { size?: number } = {}): Promise<
  FaultServer & {
    /** All values that a header arrived with, of all requests. */
    headerValues(name: string): string[]
  }
> {
  const server = await startFaultServer(options)
  server.fallback({ size: options.size ?? 1000 })
  return Object.assign(server, {
    headerValues: (name: string) => server.requests.flatMap(request => request.headers[name.toLowerCase()] ?? []),
  })
}

interface ServedResource {
  readonly state: ResourceState
  script: Script | Behaviour | undefined
}

class ScriptedServer implements FaultServer {
  readonly seed: number
  readonly certificate: string | undefined
  readonly requests: FaultRequest[] = []
  readonly connections: FaultConnection[] = []
  readonly malformed: string[] = []
  peakConnections = 0
  peakRequests = 0
  port = 0
  readonly #options: FaultServerOptions
  readonly #started = performance.now()
  readonly #resources = new Map<string, ServedResource>()
  readonly #attempts = new Map<string, number>()
  readonly #open = new Set<Connection>()
  readonly #link: Pacer | undefined
  readonly #secure: ReturnType<typeof createSecureContext> | undefined
  #fallback: ServedResource | undefined
  #listener: Server | undefined
  #openRequests: FaultRequest[] = []
  #scriptErrors: unknown[] = []

  constructor(options: FaultServerOptions) {
    this.#options = options
    this.seed = options.seed ?? Number(process.env.ARRIERO_SEED ?? Math.floor(Math.random() * 2 ** 31))
    this.#link = options.bytesPerSecond ? new Pacer(options.bytesPerSecond) : undefined
    if (options.tls) {
      const { certificate, key } = certificateFor(options.tls)
      this.certificate = certificate
      this.#secure = createSecureContext({ cert: certificate, key })
    }
  }

  get origin(): string {
    const { tls, hostname, host = '127.0.0.1' } = this.#options
    return `${tls ? 'https' : 'http'}://${hostname ?? host}:${this.port}`
  }

  get sent(): number {
    return this.connections.reduce((sum, connection) => sum + connection.sent, 0)
  }

  get openConnections(): number {
    return this.#open.size
  }

  url(name: string): string {
    return new URL(name, this.origin).href
  }

  resource(name: string, options: ResourceOptions = {}): FaultResource {
    const url = this.url(name)
    const path = new URL(url).pathname
    const served = makeResource(options)
    this.#resources.set(path, served)
    const requests = () => this.requests.filter(request => request.path === path)
    return {
      url,
      get requests() {
        return requests()
      },
      get sent() {
        return requests().reduce((sum, request) => sum + request.sent, 0)
      },
      change: changes => changeResource(served, changes),
    }
  }

  fallback(options: ResourceOptions): void {
    this.#fallback = makeResource(options)
  }

  requestsFor(name: string): FaultRequest[] {
    const path = new URL(name, this.origin).pathname
    return this.requests.filter(request => request.path === path)
  }

  dropConnections(ending: 'fin' | 'rst' = 'rst'): void {
    for (const connection of this.#open) connection.end(ending)
  }

  async listenAgain(): Promise<void> {
    const { host = '127.0.0.1' } = this.#options
    const listener = createServer({ noDelay: true, highWaterMark: 1024 * 1024 })
    listener.on('connection', raw => {
      const { maxConnections = Infinity } = this.#options
      if (this.#open.size >= maxConnections) {
        raw.resetAndDestroy()
        return
      }
      const socket = this.#secure ? new TLSSocket(raw, { isServer: true, secureContext: this.#secure }) : raw
      const connection = new Connection(this.connections.length + 1, raw, socket, this.#hostFor())
      this.connections.push(connection.log)
      this.#open.add(connection)
      this.peakConnections = Math.max(this.peakConnections, this.#open.size)
      raw.on('close', () => this.#open.delete(connection))
    })
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject)
      listener.listen({ host, port: this.port, backlog: 1024 }, resolve)
    })
    const address = listener.address()
    if (address && typeof address === 'object') this.port = address.port
    this.#listener = listener
  }

  async stopListening(): Promise<void> {
    // close() waits for the connections that live on; the port is free at once.
    this.#listener?.close()
    this.#listener = undefined
    await new Promise(resolve => setImmediate(resolve))
  }

  async close(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    const closed = listener ? new Promise(resolve => listener.close(resolve)) : undefined
    this.dropConnections()
    await closed
    const [error] = this.#scriptErrors.splice(0)
    if (error) throw error
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** For the report of a failed test. */
  describe(): string {
    const latest = this.requests.slice(-40).map(describeRequest)
    const { length } = this.requests
    const count = `${length} requests on ${this.connections.length} connections`
    return [`fault server ${this.origin}: ARRIERO_SEED=${this.seed}, ${count}`, ...latest, ...this.malformed].join('\n')
  }

  #hostFor(): ConnectionHost {
    const pacers: Pacer[] = this.#link ? [this.#link] : []
    const { bytesPerSecondPerConnection: rate, idleTimeoutMs } = this.#options
    const own = typeof rate === 'function' ? rate(this.connections.length + 1) : rate
    if (own) pacers.push(new Pacer(own))
    return {
      pacers,
      idleTimeoutMs,
      now: () => performance.now() - this.#started,
      receive: (head, body, connection) => this.#receive(head, body, connection),
      decide: request => this.#decide(request),
      malformed: message => this.malformed.push(message),
      failed: error => this.#scriptErrors.push(error),
    }
  }

  #receive(head: Parameters<ConnectionHost['receive']>[0], body: Buffer, connection: FaultConnection): FaultRequest {
    this.#openRequests = this.#openRequests.filter(request => isBeingAnswered(request, this.connections))
    const concurrent = this.#openRequests.length + 1
    this.peakRequests = Math.max(this.peakRequests, concurrent)
    const request: FaultRequest = {
      ...head,
      body,
      connection: connection.number,
      indexOnConnection: ++connection.requests,
      attempt: this.#count(head.path),
      rangeAttempt: this.#count(`${head.path} ${head.range?.start}`),
      concurrent,
      at: performance.now() - this.#started,
      endedAt: undefined,
      status: undefined,
      sent: 0,
    }
    this.#openRequests.push(request)
    this.requests.push(request)
    return request
  }

  #count(key: string): number {
    const count = (this.#attempts.get(key) ?? 0) + 1
    this.#attempts.set(key, count)
    return count
  }

  async #decide(request: FaultRequest): ReturnType<ConnectionHost['decide']> {
    const served = this.#resources.get(request.path) ?? this.#fallback
    const behaviour: Behaviour = {
      ...(await run(this.#options.script, request)),
      ...(await run(served?.script, request)),
    }
    return { behaviour, plan: () => planAnswer(request, served?.state, behaviour) }
  }
}

function certificateFor(tls: true | TestCertificateOptions | TestCertificate): TestCertificate {
  if (tls === true) return makeCertificate()
  return 'key' in tls ? tls : makeCertificate(tls)
}

function isBeingAnswered(request: FaultRequest, connections: readonly FaultConnection[]): boolean {
  return request.endedAt === undefined && connections[request.connection - 1]?.closedAt === undefined
}

async function run(script: Script | Behaviour | undefined, request: FaultRequest): Promise<Behaviour | undefined> {
  return typeof script === 'function' ? script(request, request.attempt) : script
}

const LAST_MODIFIED = Date.UTC(2026, 0, 2, 3, 4, 5)

function makeResource(options: ResourceOptions): ServedResource {
  const state = { size: 0, version: 0, lastModified: LAST_MODIFIED, headers: {} }
  const served: ServedResource = { state, script: undefined }
  changeResource(served, options)
  return served
}

function changeResource(served: ServedResource, options: ResourceOptions): void {
  const { script, bytes, ...rest } = options
  Object.assign(served.state, rest)
  if (bytes !== undefined) served.state.bytes = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  else if (rest.size !== undefined) served.state.bytes = undefined
  if ('script' in options) served.script = script
}

/** Prints what happened when the test that started the server fails; outside a test, nothing. */
async function reportOnFailure(describe: () => string): Promise<void> {
  if (!process.env.VITEST) return
  const { onTestFailed } = await import('vitest')
  try {
    onTestFailed(() => console.error(describe()))
  } catch {
    // Started in beforeAll or outside a test: there is nothing to attach to.
  }
}
