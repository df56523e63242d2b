/**
 * A data connection whose bytes the kernel writes straight into the landing, stopped exactly where enough bytes are.
 *
 *     quiet     nobody has said yet where the bytes go: the first ones are held, then the sender is left waiting
 *     body      `landing.room()` is lent to the socket: bytes land without a copy
 *     waiting   no room: the socket is not read, which stops the sender; what still comes (TLS) is held
 *     last      all but the last byte of what was asked have landed; that one is kept back, see `DataEnd`
 *     over      the socket is closed
 */
import type { Socket } from 'node:net'
import type { Landing } from '../../source.ts'
import type { OnRead } from './passive.ts'

/** For what comes before the landing is known, and for the last byte. */
const SCRATCH = 64 * 1024

/**
 * How a body ended. The last byte is never poured by the stream: who pours it afterwards has seen what the server says
 * of the transfer, so that a complete landing means a confirmed one.
 *
 *     enough    everything asked for has come; `last` is its last byte, and the connection was closed
 *     unwanted  the landing wants no more
 *     ended     the server closed the connection; `last` if everything asked for had come before
 *     excess    more has come than there should be
 */
export interface DataEnd {
  readonly kind: 'enough' | 'unwanted' | 'ended' | 'excess'
  readonly last: number | undefined
  /** Bytes that were asked for and did not come. */
  readonly missing: number
}

export interface PourOptions {
  /** Bytes asked for; Infinity: to the end, wherever that is. */
  readonly count: number
  /** The resource ends there: the server must close the connection and send no byte more. */
  readonly isToEnd: boolean
  readonly idleMs: number
  readonly signal: AbortSignal
}

/** Nothing came for too long. */
export class Silence extends Error {}

type State = 'quiet' | 'body' | 'waiting' | 'last' | 'over'

export class DataStream {
  readonly onread: OnRead = {
    buffer: () => this.#nextBuffer(),
    callback: (count, buffer) => this.#read(count, buffer),
  }
  #scratch = Buffer.allocUnsafeSlow(SCRATCH)
  #socket: Socket | undefined
  #state: State = 'quiet'
  #landing: Landing | undefined
  /** Bytes still to come, the last one not counted. */
  #left = 0
  #isToEnd = false
  /** Nothing was asked for: any byte is too many. */
  #isEmpty = false
  #last: number | undefined
  /** What the landing had room for when it was asked last. */
  #room: Uint8Array | undefined
  /** The room that the socket may be writing into. */
  #lent: Uint8Array | undefined
  /** Bytes that came and have no room yet. */
  #held: Uint8Array[] = []
  #hasEnded = false
  #failure: Error | undefined
  #lastReadAt = 0
  readonly #over = Promise.withResolvers<DataEnd>()

  /** Takes the socket that was made with `onread`. */
  attach(socket: Socket): void {
    this.#socket = socket
    socket.on('error', error => {
      this.#failure ??= error
      this.#ended()
    })
    socket.on('end', () => this.#ended())
    socket.on('close', () => this.#ended())
    // An end that nobody reads would never be told.
    socket.resume()
  }

  /** Pours until the end of what was asked. Rejects with the socket's error, `Silence` or the signal's reason. */
  async pour(landing: Landing, { count, isToEnd, idleMs, signal }: PourOptions): Promise<DataEnd> {
    signal.throwIfAborted()
    this.#landing = landing
    this.#isToEnd = isToEnd
    this.#isEmpty = count === 0
    this.#left = count - 1
    this.#lastReadAt = performance.now()
    const onAbort = () => this.#fail(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const timer = setInterval(() => this.#check(idleMs), Math.max(10, Math.min(1000, idleMs / 4)))
    try {
      this.#state = 'waiting'
      this.#flush(landing)
      if (this.#goOn(landing)) this.#socket?.resume()
      return await this.#over.promise
    } finally {
      clearInterval(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Closes the connection. Nothing is written into the landing's memory afterwards. */
  destroy(): void {
    this.#state = 'over'
    this.#lent = undefined
    this.#room = undefined
    this.#held = []
    this.#socket?.destroy()
  }

  get #isOver(): boolean {
    return this.#state === 'over'
  }

  #nextBuffer(): Uint8Array {
    this.#lent = undefined
    if (this.#state === 'body' && this.#room) {
      this.#lent = this.#room.length > this.#left ? this.#room.subarray(0, this.#left) : this.#room
      this.#room = undefined
      return this.#lent
    }
    return this.#held.length > 0 ? Buffer.allocUnsafeSlow(SCRATCH) : this.#scratch
  }

  /** Bytes came. False stops reading. */
  #read(count: number, buffer: Uint8Array): boolean {
    this.#lastReadAt = performance.now()
    switch (this.#state) {
      case 'body':
        return buffer === this.#lent ? this.#landed(count, buffer) : this.#copied(buffer.subarray(0, count))
      case 'last':
        return this.#readLast(buffer.subarray(0, count))
      case 'over':
        return false
      default:
        this.#held.push(buffer.subarray(0, count))
        return false
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
    if (this.#isOver) return false
    if (wanted < count && !landing.isComplete) {
      this.#left += count - wanted
      this.#held.push(room.slice(wanted, count))
    }
    return this.#goOn(landing)
  }

  /** Bytes lie in a buffer of ours. */
  #copied(bytes: Uint8Array): boolean {
    const landing = this.#landing as Landing
    this.#held.push(bytes)
    this.#flush(landing)
    return this.#goOn(landing)
  }

  /** Copies what is held, as far as there is room and it is not the last byte. */
  #flush(landing: Landing): void {
    while (this.#held.length > 0 && !landing.isComplete && this.#left > 0 && !this.#isOver) {
      const bytes = this.#held[0] as Uint8Array
      const room = landing.room()
      const count = Math.min(bytes.length, room.length, this.#left)
      if (count === 0) return
      room.set(bytes.subarray(0, count))
      this.#left -= count
      if (count === bytes.length) this.#held.shift()
      else this.#held[0] = bytes.subarray(count)
      landing.advance(count)
    }
  }

  /** What comes next, after bytes have landed: true to read on. */
  #goOn(landing: Landing): boolean {
    // `advance` may have aborted the request.
    if (this.#isOver) return false
    if (landing.isComplete && !this.#isEmpty) return this.#finish('unwanted')
    if (this.#left <= 0) {
      this.#state = 'last'
      const held = this.#held.splice(0)
      const isReading =
        held.length === 0 || this.#readLast(held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held))
      if (isReading && this.#hasEnded) return this.#finish('ended')
      return isReading
    }
    if (this.#held.length === 0) {
      if (this.#hasEnded) return this.#finish('ended')
      const room = landing.room()
      if (room.length > 0) {
        this.#room = room
        this.#state = 'body'
        return true
      }
    }
    this.#wait(landing)
    return false
  }

  #wait(landing: Landing): void {
    this.#state = 'waiting'
    landing.whenRoom().then(
      () => {
        if (this.#state !== 'waiting') return
        this.#lastReadAt = performance.now()
        this.#flush(landing)
        if (this.#goOn(landing)) this.#socket?.resume()
      },
      error => this.#fail(error),
    )
  }

  /** The last byte of what was asked, and whatever follows it. */
  #readLast(bytes: Uint8Array): boolean {
    if (this.#isEmpty) return this.#finish('excess')
    const isFirst = this.#last === undefined
    this.#last ??= bytes[0]
    if (!this.#isToEnd) return this.#finish('enough')
    return isFirst && bytes.length === 1 ? true : this.#finish('excess')
  }

  /** The server closed the connection, or it broke. */
  #ended(): void {
    if (this.#isOver) return
    this.#hasEnded = true
    // What came before a break is good, but waits for room; it is looked at when that is there.
    if (this.#state === 'quiet' || this.#state === 'waiting') return
    this.#finish('ended')
  }

  #finish(kind: DataEnd['kind']): false {
    const missing = this.#last === undefined ? this.#left + 1 : 0
    // Many servers forget the farewell of TLS. Whether all has come, the control connection tells.
    const failure = kind === 'ended' && missing > 0 ? this.#failure : undefined
    this.destroy()
    if (failure) this.#over.reject(failure)
    else this.#over.resolve({ kind, last: this.#last, missing })
    return false
  }

  #fail(error: unknown): void {
    // First the socket: when the request is settled, nothing may write into its memory any more.
    this.destroy()
    this.#over.reject(error)
  }

  #check(idleMs: number): void {
    if (this.#isOver) return
    // Another connection may have taken over the tail while this one is silent.
    if (this.#landing?.isComplete && !this.#isEmpty) this.#finish('unwanted')
    else if (this.#state !== 'waiting' && performance.now() - this.#lastReadAt > idleMs) this.#fail(new Silence())
  }
}
