/**
 * One control connection: lines out, replies in, in order (RFC 959, 4.2), in the clear or under TLS.
 *
 * Written by hand because a reply that the network cuts in two must not be taken for a whole one. Everything is bytes,
 * one per character, so that names in any encoding come back as they were given.
 *
 * A failure is final: the connection is closed, and every later call rejects with it.
 */
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { TransferError } from '../../errors.ts'
import type { TlsOptions } from '../../http/lane-options.ts'
import { cutError, networkError, timeoutError } from '../../http/network-error.ts'
import { type Reply, ReplyParser } from './reply.ts'

export interface ControlOptions {
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** TLS from the first byte. */
  readonly isImplicit: boolean
  readonly tls: TlsOptions
  /** Default: the system's. */
  readonly lookup?: LookupFunction | undefined
  readonly connectMs: number
  /** For a reply, from its command. */
  readonly replyMs: number
  /** Redacted, for messages. */
  readonly uri: string
}

interface Waiter {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: unknown) => void
  readonly timer: NodeJS.Timeout
}

/** Routers forget connections over which nothing passes for a few minutes. */
const KEEP_ALIVE_MS = 30_000

export class Control {
  /** `host:port`, for messages. */
  readonly where: string
  /** Redacted, for messages: what the connection is used for now. */
  uri: string
  /** Replies received, the greeting included. */
  heard = 0
  /** Commands whose last reply has not come. */
  pending = 0
  /** Called after every reply and at the end of the connection. */
  onNews: () => void = () => {}
  readonly #options: ControlOptions
  #socket: Socket
  #tls: TLSSocket | undefined
  #parser = new ReplyParser()
  #replies: Reply[] = []
  #waiter: Waiter | undefined
  #failure: unknown
  #session: Buffer | undefined

  private constructor(options: ControlOptions) {
    this.#options = options
    this.uri = options.uri
    this.where = `${options.host}:${options.port}`
    const { host, port, lookup } = options
    if (options.isImplicit) this.#socket = this.#asTls(connectTls({ ...this.tlsOptions, host, port, lookup }))
    else this.#socket = connectTcp({ host, port, lookup, noDelay: true })
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS)
    this.#listen()
  }

  /** Resolves when the connection stands; the greeting is the first reply. */
  static async connect(options: ControlOptions, signal: AbortSignal): Promise<Control> {
    const control = new Control(options)
    try {
      await control.#until(options.isImplicit ? 'secureConnect' : 'connect', signal)
      return control
    } catch (error) {
      control.destroy(error)
      throw error
    }
  }

  /** How TLS is spoken with this server, also on data connections: its certificate must be for the same name. */
  get tlsOptions(): ConnectionOptions {
    const { host, tls } = this.#options
    const { ca, rejectUnauthorized } = tls
    return {
      ...(ca === undefined ? {} : { ca: ca as string | string[] }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      ...(isIP(host) ? {} : { servername: host }),
    }
  }

  /** After `AUTH TLS`. What came in the clear is forgotten: anybody may have put it there. */
  async secure(signal: AbortSignal): Promise<void> {
    const plain = this.#socket
    for (const event of ['data', 'error', 'end', 'close']) plain.removeAllListeners(event)
    this.#parser = new ReplyParser()
    this.#replies = []
    this.#socket = this.#asTls(connectTls({ ...this.tlsOptions, host: this.#options.host, socket: plain }))
    this.#listen()
    try {
      await this.#until('secureConnect', signal)
    } catch (error) {
      this.destroy(error)
      throw error
    }
  }

  get isSecure(): boolean {
    return this.#tls !== undefined
  }

  /** The last TLS session: servers demand it on data connections, as a proof that they are the same client's. */
  get session(): Buffer | undefined {
    return this.#session ?? this.#tls?.getSession()
  }

  /** The address at the other end: data connections go there, whatever the server says. */
  get peer(): string {
    return this.#socket.remoteAddress ?? this.#options.host
  }

  /** Open, and every command has been answered. */
  get isUsable(): boolean {
    return this.#failure === undefined && this.pending === 0 && this.#replies.length === 0
  }

  get isClosed(): boolean {
    return this.#failure !== undefined
  }

  /** Waits until every command has been answered, whatever the answers say; too late a one ends the connection. */
  async settled(withinMs: number): Promise<void> {
    const timer = setTimeout(() => this.destroy(timeoutError('first byte', this.where, this.uri)), withinMs)
    while (this.pending > 0 && this.#failure === undefined) {
      await new Promise<void>(resolve => {
        this.onNews = resolve
      })
    }
    clearTimeout(timer)
    this.onNews = () => {}
    this.#replies = []
  }

  /** Sends a command and gives the first reply to it. */
  ask(command: string, timeoutMs?: number): Promise<Reply> {
    this.send(command)
    return this.reply(timeoutMs)
  }

  /** Sends a command whose reply is fetched by `reply`. */
  send(command: string): void {
    if (/[\r\n\0]/.test(command)) throw new TransferError('Usage', 'Cannot send a command with line ends or NUL')
    if (this.#failure !== undefined) return
    this.pending++
    this.#socket.write(`${command}\r\n`, 'latin1')
  }

  /** The next reply. Too late a one ends the connection: it would be taken for another's. */
  reply(timeoutMs = this.#options.replyMs): Promise<Reply> {
    const ready = this.#replies.shift()
    if (ready) return Promise.resolve(ready)
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.destroy(timeoutError('first byte', this.where, this.uri)), timeoutMs)
      this.#waiter = { resolve, reject, timer }
    })
  }

  /** Whether the program stays alive for this connection. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.ref()
    else this.#socket.unref()
  }

  /** Says good-bye if there is time for it. */
  quit(): void {
    if (this.#failure === undefined) this.#socket.end('QUIT\r\n', 'latin1')
    this.destroy(new TransferError('Cancelled', 'Cannot go on: the connections were closed'))
  }

  destroy(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#socket.destroy()
    this.#tell(waiter => waiter.reject(error))
    this.onNews()
  }

  #asTls(socket: TLSSocket): TLSSocket {
    this.#tls = socket
    socket.on('session', session => {
      this.#session = session
    })
    return socket
  }

  #listen(): void {
    const socket = this.#socket
    socket.setEncoding('latin1')
    socket.on('data', (bytes: unknown) => this.#received(bytes as string))
    socket.on('error', error => this.destroy(networkError(error, this.where, this.uri)))
    const onEnd = () => this.destroy(cutError(this.where, this.uri, undefined))
    socket.on('end', onEnd)
    socket.on('close', onEnd)
  }

  #received(bytes: string): void {
    let replies: Reply[]
    try {
      replies = this.#parser.push(bytes)
    } catch (cause) {
      const what = `Cannot fetch ${this.uri}: ${this.where} does not speak FTP: ${(cause as Error).message}`
      return this.destroy(new TransferError('Protocol', what, { url: this.uri, retriable: false }))
    }
    for (const reply of replies) {
      this.heard++
      if (reply.code >= 200 && this.pending > 0) this.pending--
      if (this.#waiter) this.#tell(waiter => waiter.resolve(reply))
      else this.#replies.push(reply)
      this.onNews()
    }
  }

  #tell(say: (waiter: Waiter) => void): void {
    const waiter = this.#waiter
    this.#waiter = undefined
    if (!waiter) return
    clearTimeout(waiter.timer)
    say(waiter)
  }

  async #until(event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
    const { connectMs } = this.#options
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => this.destroy(timeoutError('connect', this.where, this.uri)), connectMs)
    const onAbort = () => this.destroy(signal.reason)
    const socket = this.#socket
    // Every end of the socket comes by `destroy`, which knows why.
    this.onNews = () => {
      if (this.#failure !== undefined) reject(this.#failure)
    }
    socket.once(event, resolve)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.onNews = () => {}
      signal.removeEventListener('abort', onAbort)
    }
  }
}
