/**
 * One kept-alive connection of the fast lane: a GET at a time, its body read by the kernel straight into the landing.
 *
 *     head      the answer's head is read into a scratch buffer; body bytes that came with it are copied
 *     body      `landing.room()` is lent to the socket: bytes land without a copy
 *     waiting   no room: the socket is paused, which stops the sender; what still comes (TLS) is held
 *     draining  the landing was complete early and the rest is small: it is read and thrown away
 *     idle      ready for the next request
 *
 * Memory from `room()` is lent until the next bytes arrive, and given back before the request settles. Does not know
 * what an answer means: `answered` decides.
 */
import type { Socket } from 'node:net'
import { TransferError } from '../errors.ts'
import type { Landing } from '../source.ts'
import type { AnswerHead } from './answer-head.ts'
import { parseFastHead } from './fast-head.ts'
import { cutError, networkError, timeoutError } from './network-error.ts'
import { pourNow } from './pour.ts'

/** A head must fit; small files arrive with it in one read. */
const SCRATCH = 32 * 1024
const MAX_HEAD = 16 * 1024
/** Reading so much to keep a connection is cheaper than opening a new one. */
const WORTH_DRAINING = 64 * 1024
/** TLS hands on everything it has decrypted although the socket is paused; must fit into the scratch buffer. */
const OVERFLOW = SCRATCH

export interface FastAsk {
  /** The whole request, latin1. */
  readonly text: string
  readonly signal: AbortSignal
  /** Redacted, for messages. */
  readonly uri: string
  /**
   * The head came. Returns where the body goes and how long it is; undefined if this is not for the fast lane.
   * A throw ends the request with what was thrown.
   */
  answered(head: AnswerHead): FastBody | undefined
}

export interface FastBody {
  readonly landing: Landing
  readonly length: number
}

/** `surprise`: nothing landed, the general lane shall ask. `stale`: the connection was gone before any answer. */
export type FastOutcome = 'done' | 'surprise' | 'stale'

/** What a connection needs of the pool that it belongs to. */
export interface FastHost {
  /** `host:port`, for messages. */
  readonly where: string
  /** A coarse clock that costs nothing to read. */
  readonly tick: number
  ticks(ms: number): number
  onIdle(connection: FastConnection): void
  onClosed(connection: FastConnection): void
}

export interface Limits {
  /** In ticks. */
  readonly connect: number
  readonly firstByte: number
  readonly idle: number
  readonly keepAlive: number
}

type State = 'connecting' | 'idle' | 'head' | 'body' | 'waiting' | 'draining' | 'closed'

interface Exchange {
  readonly ask: FastAsk
  readonly resolve: (outcome: FastOutcome) => void
  readonly reject: (error: unknown) => void
}

const CRLF_CRLF = Buffer.from('\r\n\r\n', 'latin1')

export class FastConnection {
  readonly #host: FastHost
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH)
  #socket: Socket | undefined
  #state: State = 'connecting'
  #isConnected = false
  #exchange: Exchange | undefined
  #signal: AbortSignal | undefined
  readonly #onAbort = () => this.#aborted()
  /** Since when the present state has lasted, or since the last bytes of a body. */
  #since: number
  #keepAliveTicks = Number.POSITIVE_INFINITY
  /** Answers received to the end. */
  #served = 0
  /** Bytes in the scratch buffer while a head is read. */
  #filled = 0
  #landing: Landing | undefined
  /** Bytes of the body that have not come yet. */
  #left = 0
  /** What the landing had room for when it was asked last. */
  #room: Uint8Array | undefined
  /** The room that the socket may be writing into. */
  #lent: Uint8Array | undefined
  /** Bytes that came and have no room yet. */
  #held: Uint8Array[] = []
  /** The connection must not carry another request. */
  #isSpent = false

  constructor(host: FastHost) {
    this.#host = host
    this.#since = host.tick
  }

  /** For `net.connect` and `tls.connect`: the kernel writes into what `buffer` gives. */
  readonly onread = {
    buffer: (): Uint8Array => this.#nextBuffer(),
    callback: (count: number, buffer: Uint8Array): boolean => this.#read(count, buffer),
  }

  /** Takes the socket that was made with `onread`. */
  attach(socket: Socket, connectedEvent: 'connect' | 'secureConnect'): void {
    this.#socket = socket
    socket.once(connectedEvent, () => {
      this.#isConnected = true
      this.#since = this.#host.tick
    })
    socket.on('error', error => this.#lost(error))
    socket.on('end', () => this.#lost(undefined))
    socket.on('close', () => this.#lost(undefined))
  }

  get isIdle(): boolean {
    return this.#state === 'idle'
  }

  send(ask: FastAsk): Promise<FastOutcome> {
    return new Promise((resolve, reject) => {
      this.#exchange = { ask, resolve, reject }
      this.#state = 'head'
      this.#filled = 0
      this.#since = this.#host.tick
      this.#listen(ask.signal)
      if (this.#served > 0) this.#socket?.ref()
      this.#socket?.write(ask.text, 'latin1')
    })
  }

  /** Called about once per tick: ends what has lasted too long. */
  check(limits: Limits): void {
    const age = this.#host.tick - this.#since
    switch (this.#state) {
      case 'idle':
        this.#listen(undefined)
        if (age > Math.min(limits.keepAlive, this.#keepAliveTicks)) this.destroy()
        return
      case 'head':
        if (!this.#isConnected && age > limits.connect) this.#timedOut('connect')
        else if (this.#isConnected && age > limits.firstByte) this.#timedOut('first byte')
        return
      case 'body':
        // Another connection may have taken over the tail while this one is silent.
        if (this.#landing?.isComplete) this.#finishEarly()
        else if (age > limits.idle) this.#timedOut('idle')
        return
      case 'waiting':
        if (this.#landing?.isComplete) this.#finishEarly()
        return
      case 'draining':
        if (age > limits.idle) this.destroy()
    }
  }

  /** Ends the connection, and with it a request under way. */
  close(): void {
    if (this.#exchange) this.#fail(new TransferError('Cancelled', 'Cannot go on: the connections were closed'))
    else this.destroy()
  }

  /** Ends the connection when no request is under way. */
  destroy(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#lent = undefined
    this.#held = []
    this.#landing = undefined
    this.#listen(undefined)
    this.#socket?.destroy()
    this.#host.onClosed(this)
  }

  get #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #nextBuffer(): Uint8Array {
    this.#lent = undefined
    if (this.#state === 'body' && this.#room) {
      this.#lent = this.#room.length > this.#left ? this.#room.subarray(0, this.#left) : this.#room
      this.#room = undefined
      return this.#lent
    }
    if (this.#state === 'head') return this.#scratch.subarray(this.#filled)
    return this.#held.length > 0 ? Buffer.allocUnsafeSlow(OVERFLOW) : this.#scratch
  }

  /** Bytes came. False pauses the socket. */
  #read(count: number, buffer: Uint8Array): boolean {
    switch (this.#state) {
      case 'body':
        this.#since = this.#host.tick
        return buffer === this.#lent ? this.#landed(count, buffer) : this.#copied(buffer.subarray(0, count))
      case 'head':
        return this.#readHead(count, buffer)
      case 'waiting':
        this.#hold(buffer.subarray(0, count))
        return false
      case 'draining':
        return this.#drained(count)
      default:
        // Nobody asked: whatever this is, it must not be taken for the next answer.
        this.destroy()
        return false
    }
  }

  #readHead(count: number, buffer: Uint8Array): boolean {
    const before = this.#filled
    // After a pause the socket may still hold another buffer of ours.
    if (buffer.buffer !== this.#scratch.buffer) this.#scratch.set(buffer.subarray(0, count), before)
    this.#filled += count
    const at = this.#scratch.indexOf(CRLF_CRLF, Math.max(0, before - 3))
    if (at < 0 || at + 4 > this.#filled) {
      if (this.#filled < MAX_HEAD) return true
      this.#surprise()
      return false
    }
    const head = at > MAX_HEAD ? undefined : parseFastHead(this.#scratch.toString('latin1', 0, at + 2))
    const exchange = this.#exchange as Exchange
    let body: FastBody | undefined
    try {
      body = head && exchange.ask.answered(head)
    } catch (error) {
      this.#fail(error)
      return false
    }
    // `answered` may have aborted the request.
    if (this.#exchange !== exchange) return false
    if (!head || !body) {
      this.#surprise()
      return false
    }
    this.#noteKeepAlive(head)
    this.#landing = body.landing
    this.#left = body.length
    this.#state = 'body'
    this.#since = this.#host.tick
    return this.#copied(this.#scratch.subarray(at + 4, this.#filled))
  }

  #noteKeepAlive({ headers }: AnswerHead): void {
    const { connection, 'keep-alive': keepAlive } = headers
    if (connection !== undefined && /close/i.test(String(connection))) this.#isSpent = true
    if (keepAlive !== undefined) {
      const seconds = /timeout=(\d{1,6})/i.exec(String(keepAlive))?.[1]
      // A second less than promised: a request must not cross the server's farewell.
      if (seconds !== undefined) this.#keepAliveTicks = this.#host.ticks((Number(seconds) - 1) * 1000)
    }
  }

  /** Bytes lie where they belong. */
  #landed(count: number, room: Uint8Array): boolean {
    const landing = this.#landing as Landing
    this.#lent = undefined
    this.#left -= count
    // The limit may have been lowered since the room was lent.
    const wanted = Math.min(count, landing.room().length)
    if (wanted > 0) landing.advance(wanted)
    if (this.#isClosed) return false
    if (wanted < count && !landing.isComplete) this.#held.push(room.slice(wanted, count))
    return this.#goOn(landing)
  }

  /** Bytes lie in a buffer of ours. */
  #copied(bytes: Uint8Array): boolean {
    const landing = this.#landing as Landing
    this.#hold(bytes)
    this.#flush(landing)
    return this.#goOn(landing)
  }

  /** Keeps bytes of the body; more than the body's length spends the connection. */
  #hold(bytes: Uint8Array): void {
    if (bytes.length > this.#left) this.#isSpent = true
    const wanted = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes
    this.#left -= wanted.length
    if (wanted.length > 0) this.#held.push(wanted)
  }

  #flush(landing: Landing): void {
    while (this.#held.length > 0 && !landing.isComplete) {
      const bytes = this.#held[0] as Uint8Array
      const taken = pourNow(landing, bytes)
      if (this.#isClosed) return
      if (taken < bytes.length) {
        this.#held[0] = bytes.subarray(taken)
        return
      }
      this.#held.shift()
    }
  }

  /** What comes next, after bytes have landed: true to read on. */
  #goOn(landing: Landing): boolean {
    // `advance` may have aborted the request.
    if (this.#isClosed) return false
    if (landing.isComplete) return this.#finishEarly()
    if (this.#held.length === 0) {
      if (this.#left === 0) return this.#finish()
      const room = landing.room()
      if (room.length > 0) {
        this.#room = room
        this.#state = 'body'
        return true
      }
      if (landing.isComplete) return this.#finishEarly()
    }
    this.#wait(landing)
    return false
  }

  #wait(landing: Landing): void {
    const exchange = this.#exchange
    this.#state = 'waiting'
    landing.whenRoom().then(
      () => {
        if (this.#exchange !== exchange || this.#state === 'closed') return
        this.#flush(landing)
        const isReading = this.#goOn(landing)
        if (isReading) this.#resume()
      },
      error => {
        if (this.#exchange === exchange) this.#fail(error)
      },
    )
  }

  /** The buffer that the socket holds is ours, not the landing's: the next bytes are copied, the ones after land. */
  #resume(): void {
    this.#since = this.#host.tick
    this.#socket?.resume()
  }

  /** The landing wants no more: what is still on its way is drained if it is little. */
  #finishEarly(): boolean {
    this.#held = []
    if (this.#left === 0) return this.#finish()
    const exchange = this.#exchange as Exchange
    const wasWaiting = this.#state === 'waiting'
    this.#exchange = undefined
    this.#landing = undefined
    if (this.#isSpent || this.#left > WORTH_DRAINING || this.#lent) this.destroy()
    else {
      this.#state = 'draining'
      this.#since = this.#host.tick
      if (wasWaiting) this.#resume()
    }
    exchange.resolve('done')
    return this.#state === 'draining'
  }

  #drained(count: number): boolean {
    this.#left -= count
    if (this.#left < 0) this.destroy()
    else if (this.#left === 0) {
      this.#served++
      this.#release()
    }
    return this.#left >= 0
  }

  #finish(): boolean {
    const exchange = this.#exchange as Exchange
    const wasWaiting = this.#state === 'waiting'
    this.#exchange = undefined
    this.#landing = undefined
    this.#served++
    this.#release()
    if (wasWaiting && this.#state === 'idle') this.#resume()
    exchange.resolve('done')
    return this.#state === 'idle'
  }

  #release(): void {
    if (this.#isSpent || !this.#socket || this.#socket.destroyed) return this.destroy()
    this.#state = 'idle'
    this.#since = this.#host.tick
    // A program that has nothing else to do must be able to end.
    this.#socket.unref()
    this.#host.onIdle(this)
  }

  #surprise(): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.destroy()
    exchange?.resolve('surprise')
  }

  #fail(error: unknown): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    // First the socket: when the request is settled, nothing may write into its memory any more.
    this.destroy()
    exchange?.reject(error)
  }

  #timedOut(phase: 'connect' | 'first byte' | 'idle'): void {
    this.#fail(timeoutError(phase, this.#host.where, this.#exchange?.ask.uri ?? ''))
  }

  /** The socket ended or failed. */
  #lost(error: Error | undefined): void {
    if (this.#state === 'closed') return
    const exchange = this.#exchange
    if (!exchange) return this.destroy()
    // Everything has come; only the landing is not ready for it.
    if (this.#state === 'waiting' && this.#left === 0) {
      this.#isSpent = true
      return
    }
    const { uri } = exchange.ask
    if (this.#state === 'head' && this.#filled === 0 && this.#served > 0) {
      this.#exchange = undefined
      this.destroy()
      exchange.resolve('stale')
    } else if (!error && this.#state === 'head' && this.#filled > 0) this.#surprise()
    else if (error && this.#state === 'head') this.#fail(networkError(error, this.#host.where, uri))
    else this.#fail(cutError(this.#host.where, uri, this.#state === 'head' ? undefined : this.#left))
  }

  #aborted(): void {
    const exchange = this.#exchange
    if (exchange?.ask.signal.aborted) this.#fail(exchange.ask.signal.reason)
  }

  /** One listener per connection and signal, not per request: many requests share a signal. */
  #listen(signal: AbortSignal | undefined): void {
    if (signal === this.#signal) return
    this.#signal?.removeEventListener('abort', this.#onAbort)
    signal?.addEventListener('abort', this.#onAbort)
    this.#signal = signal
  }
}
