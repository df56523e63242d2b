/**
 * The fast lane: our own strict HTTP/1.1 GET over kept-alive connections (retrieval 10.4, design 4).
 *
 * It carries exactly one shape of answer and resolves `surprise` for everything else, before a byte has landed; the
 * general lane then asks again and knows what to do. One coarse timer serves all connections, so that a small request
 * costs no timer, no AbortController and no stream.
 */
import { connect as connectTcp, isIP, type LookupFunction } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type FastAsk, FastConnection, type FastHost, type Limits } from './fast-connection.ts'
import type { TimeoutsMs, TlsOptions } from './lane-options.ts'

export interface FastLaneOptions {
  readonly timeouts: TimeoutsMs
  readonly tls: TlsOptions
  readonly lookup: LookupFunction
  /** Idle connections are closed after so long; a server's Keep-Alive hint may shorten it. */
  readonly keepAliveMs: number
}

/** Where the connections of a pool lead. */
export interface PoolTarget {
  readonly isTls: boolean
  /** Without brackets. */
  readonly host: string
  readonly port: number
}

export class FastLane {
  readonly #options: FastLaneOptions
  readonly #pools = new Map<string, FastPool>()
  readonly #connections = new Set<FastConnection>()
  readonly #tickMs: number
  readonly #limits: Limits
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  /** Counts sweeps: the clock of all connections. */
  tick = 0

  constructor(options: FastLaneOptions) {
    this.#options = options
    const { connectMs, firstByteMs, idleMs } = options.timeouts
    this.#tickMs = Math.max(10, Math.min(1000, connectMs / 4, firstByteMs / 4, idleMs / 4))
    this.#limits = {
      connect: this.ticks(connectMs),
      firstByte: this.ticks(firstByteMs),
      idle: this.ticks(idleMs),
      keepAlive: this.ticks(options.keepAliveMs),
    }
  }

  ticks(ms: number): number {
    return Math.ceil(ms / this.#tickMs)
  }

  /** Connections to one target by one identity; `key` must differ for different credentials. */
  pool(key: string, target: PoolTarget): FastPool {
    let pool = this.#pools.get(key)
    if (!pool) {
      pool = new FastPool(this, this.#options, target, key)
      this.#pools.set(key, pool)
    }
    return pool
  }

  /** Open connections, idle ones included. */
  get size(): number {
    return this.#connections.size
  }

  close(): void {
    this.#isClosed = true
    for (const connection of this.#connections) connection.close()
    this.#pools.clear()
    this.#stop()
  }

  /** For pools. */
  add(connection: FastConnection): void {
    if (this.#isClosed) throw new Error('Cannot connect: the lane is closed')
    this.#connections.add(connection)
    this.#timer ??= setInterval(() => this.#sweep(), this.#tickMs).unref()
  }

  /** For pools. */
  remove(connection: FastConnection): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.#stop()
  }

  /** For pools: nobody needs this one any more. */
  forget(key: string): void {
    this.#pools.delete(key)
  }

  #sweep(): void {
    this.tick++
    for (const connection of this.#connections) connection.check(this.#limits)
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** Kept-alive connections to one target, for one identity. */
export class FastPool implements FastHost {
  readonly where: string
  readonly #lane: FastLane
  readonly #options: FastLaneOptions
  readonly #target: PoolTarget
  readonly #key: string
  readonly #idle: FastConnection[] = []
  #open = 0
  /** The last TLS session: a resumed handshake saves a round trip and most of its CPU. */
  #session: Buffer | undefined

  constructor(lane: FastLane, options: FastLaneOptions, target: PoolTarget, key: string) {
    this.#lane = lane
    this.#options = options
    this.#target = target
    this.#key = key
    this.where = `${target.host}:${target.port}`
  }

  /**
   * One request. False: a surprise, ask in the general lane. A kept-alive connection that turns out to be closed is
   * replaced by a new one, once and silently: the server cannot have acted on the request.
   */
  async fetch(ask: FastAsk, fresh: boolean): Promise<boolean> {
    ask.signal.throwIfAborted()
    const connection = (fresh ? undefined : this.#idle.pop()) ?? this.#connect()
    let outcome = await connection.send(ask)
    if (outcome === 'stale') outcome = await this.#connect().send(ask)
    return outcome === 'done'
  }

  get tick(): number {
    return this.#lane.tick
  }

  ticks(ms: number): number {
    return this.#lane.ticks(ms)
  }

  onIdle(connection: FastConnection): void {
    this.#idle.push(connection)
  }

  onClosed(connection: FastConnection): void {
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    this.#lane.remove(connection)
    if (--this.#open === 0 && !this.#session) this.#lane.forget(this.#key)
  }

  #connect(): FastConnection {
    const connection = new FastConnection(this)
    this.#lane.add(connection)
    this.#open++
    const { isTls, host, port } = this.#target
    const { lookup, tls } = this.#options
    const common = { host, port, lookup, noDelay: true, keepAlive: true, onread: connection.onread }
    if (!isTls) {
      connection.attach(connectTcp(common), 'connect')
      return connection
    }
    const { ca, rejectUnauthorized } = tls
    const socket = connectTls({
      ...common,
      ...(ca === undefined ? {} : { ca: ca as string | string[] }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      ...(isIP(host) ? {} : { servername: host }),
      ...(this.#session ? { session: this.#session } : {}),
      ALPNProtocols: ['http/1.1'],
    })
    socket.on('session', session => {
      this.#session = session
    })
    connection.attach(socket, 'secureConnect')
    return connection
  }
}
