/** One accepted connection: requests are read, answered one after the other, and every byte sent is counted. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from './answer.ts'
import type { Behaviour, Ending } from './behaviour.ts'
import type { FaultConnection, FaultRequest } from './log.ts'
import { Pacer } from './pacer.ts'
import { BadRequest, parseRequest, type RequestHead } from './request.ts'

const PIECE = 65_536

/** What a connection asks of the server. */
export interface ConnectionHost {
  /** Milliseconds since the server started. */
  now(): number
  /** Links that all bytes of this connection pass. */
  readonly pacers: readonly Pacer[]
  /** Closes the connection when it was idle for so long, milliseconds. */
  readonly idleTimeoutMs: number | undefined
  receive(head: RequestHead, body: Buffer, connection: FaultConnection): FaultRequest
  decide(request: FaultRequest): Promise<{ behaviour: Behaviour; plan: () => Answer }>
  malformed(message: string): void
  failed(error: unknown): void
}

export class Connection {
  readonly log: FaultConnection
  readonly #raw: Socket
  /** The TLS socket around `raw`, or `raw` itself. */
  readonly #socket: Socket
  readonly #host: ConnectionHost
  #received: Buffer = Buffer.alloc(0)
  #isBusy = false

  constructor(number: number, raw: Socket, socket: Socket, host: ConnectionHost) {
    this.#raw = raw
    this.#socket = socket
    this.#host = host
    this.log = { number, openedAt: host.now(), closedAt: undefined, requests: 0, sent: 0 }
    // A client that goes away in mid-answer is what most tests are about.
    socket.on('error', () => raw.destroy())
    raw.on('error', () => socket.destroy())
    raw.on('close', () => {
      this.log.closedAt ??= host.now()
      socket.destroy()
    })
    socket.setNoDelay(true)
    if (host.idleTimeoutMs !== undefined) {
      socket.setTimeout(host.idleTimeoutMs, () => {
        if (!this.#isBusy) this.end('fin')
      })
    }
    socket.on('data', (bytes: Buffer) => {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
      void this.#serve()
    })
  }

  get isClosed(): boolean {
    // Not only after 'close': a loop that writes must see at once that nobody takes it.
    return this.log.closedAt !== undefined || !this.#socket.writable
  }

  end(ending: Ending): void {
    if (ending === 'fin') this.#socket.end()
    else if (ending === 'rst') this.#raw.resetAndDestroy()
    else if (ending === 'cut') this.#raw.destroy()
  }

  async #serve(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      for (let request = this.#take(); request && !this.isClosed; request = this.#take()) {
        const goesOn = await this.#answer(request)
        request.endedAt = this.#host.now()
        if (!goesOn) return
      }
    } catch (error) {
      if (error instanceof BadRequest) {
        this.#host.malformed(error.message)
        this.#socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      } else if (!this.isClosed) {
        // A bug in a script must not look like a fault that was asked for.
        this.#host.failed(error)
        this.end('rst')
      }
      return
    }
    this.#isBusy = false
  }

  /** The next complete request. */
  #take(): FaultRequest | undefined {
    const parsed = parseRequest(this.#received)
    if (!parsed) return undefined
    const { head, length } = parsed
    if (head.headers['transfer-encoding'] !== undefined) throw new BadRequest('chunked requests are not understood')
    const bodyLength = Number(head.headers['content-length'] ?? 0)
    if (this.#received.length < length + bodyLength) return undefined
    const body = this.#received.subarray(length, length + bodyLength)
    this.#received = this.#received.subarray(length + bodyLength)
    return this.#host.receive(head, body, this.log)
  }

  /** Whether the connection takes another request. */
  async #answer(request: FaultRequest): Promise<boolean> {
    const { behaviour, plan } = await this.#host.decide(request)
    if (behaviour.delayMs) await this.#wait(behaviour.delayMs)
    if (this.isClosed) return false
    if (behaviour.noAnswer) return this.#finish(behaviour.noAnswer)
    if (behaviour.raw !== undefined) {
      await this.#send(typeof behaviour.raw === 'string' ? Buffer.from(behaviour.raw, 'latin1') : behaviour.raw)
      return this.#finish(behaviour.ending ?? 'fin')
    }
    const answer = plan()
    request.status = answer.status
    if (behaviour.endlessHeaders) return this.#sendHeadersForEver(answer.head)
    // Head and beginning of the body in one segment, as real servers send a small answer.
    this.#socket.cork()
    process.nextTick(() => this.#socket.uncork())
    const dripping = this.#sendHead(answer.head, behaviour)
    if (dripping) await dripping
    const isCut = await this.#sendBody(request, answer, behaviour)
    if (this.isClosed) return false
    if (isCut) return this.#finish(behaviour.ending ?? 'fin')
    if (behaviour.closeAfter) return this.#finish(behaviour.closeAfter)
    return answer.isLast ? this.#finish('fin') : true
  }

  #finish(ending: Ending): false {
    this.end(ending)
    return false
  }

  #sendHead(head: Buffer, behaviour: Behaviour): Promise<void> | undefined {
    if (behaviour.headPieceBytes) return this.#dripHead(head, behaviour.headPieceBytes, behaviour.headPieceMs ?? 1)
    this.#write(head)
    return undefined
  }

  async #dripHead(head: Buffer, headPieceBytes: number, headPieceMs: number): Promise<void> {
    for (let at = 0; at < head.length && !this.isClosed; at += headPieceBytes) {
      await this.#send(head.subarray(at, at + headPieceBytes))
      await this.#wait(headPieceMs)
    }
  }

  async #sendHeadersForEver(head: Buffer): Promise<false> {
    await this.#send(head.subarray(0, head.length - 2))
    for (let i = 0; !this.isClosed; i++) await this.#send(Buffer.from(`X-Filler-${i}: ${'x'.repeat(1000)}\r\n`))
    return false
  }

  /** Whether the body was cut, so that the connection must end. */
  async #sendBody(request: FaultRequest, answer: Answer, behaviour: Behaviour): Promise<boolean> {
    const { content, start, isChunked } = answer
    const hasBody = start < answer.end || request.method !== 'HEAD'
    const full = answer.end - start + (hasBody ? (behaviour.extraBytes ?? 0) : 0)
    const limit = hasBody ? Math.min(full, behaviour.truncateAfter ?? Infinity) : 0
    const pacers = [...this.#host.pacers]
    if (behaviour.bytesPerSecond) pacers.push(new Pacer(behaviour.bytesPerSecond))
    const grain = Math.min(isChunked ? (behaviour.chunkBytes ?? 16_384) : PIECE, ...pacers.map(pacer => pacer.grain))
    for (let sent = 0; sent < limit; ) {
      const piece = content.piece(start + sent, Math.min(grain, limit - sent))
      if (pacers.length > 0) {
        const at = Math.max(...pacers.map(pacer => pacer.reserve(piece.length)))
        await this.#wait(at - performance.now())
      }
      if (this.isClosed) return true
      const isTaken = this.#write(isChunked ? chunk(piece) : piece)
      sent += piece.length
      request.sent += piece.length
      this.log.sent += piece.length
      if (!isTaken) await this.#drained()
    }
    const isCut = limit < full || (isChunked && behaviour.unterminated === true)
    if (isChunked && !isCut) this.#write(Buffer.from('0\r\n\r\n'))
    // What was asked to arrive must be with the kernel before the connection is torn down.
    if (isCut || behaviour.closeAfter) await this.#send(Buffer.alloc(0))
    return isCut
  }

  #write(bytes: Uint8Array): boolean {
    return this.#socket.writable ? this.#socket.write(bytes) : true
  }

  /** Resolves when the kernel has the bytes, or the connection is gone. */
  #send(bytes: Uint8Array): Promise<void> {
    return new Promise(resolve => {
      if (!this.#socket.writable) resolve()
      else this.#socket.write(bytes, () => resolve())
    })
  }

  async #drained(): Promise<void> {
    if (this.isClosed || !this.#socket.writableNeedDrain) return
    const gone = new AbortController()
    const drain = once(this.#socket, 'drain', { signal: gone.signal })
    const close = once(this.#raw, 'close', { signal: gone.signal })
    await Promise.race([drain, close].map(event => event.catch(() => undefined)))
    gone.abort()
  }

  async #wait(ms: number): Promise<void> {
    if (ms <= 0) return
    // Not held open by a connection that went away meanwhile: waits are short or the test is over.
    await sleep(ms, undefined, { ref: false })
  }
}

function chunk(piece: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
}
