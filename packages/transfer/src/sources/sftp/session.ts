/**
 * An SFTP session: requests go out as they come, answers find their request by its number.
 *
 * Why not the library's own: it puts each answer together, copies it into the caller's buffer after the caller may have
 * gone, and turns names into text that are no text.
 */
import type { Socket } from 'node:net'
import type { Client, ClientChannel } from 'ssh2'
import { TransferError } from '../../errors.ts'
import { cutError, timeoutError } from '../../http/network-error.ts'
import { type Attributes, readAttributes } from './attributes.ts'
import { PacketReader } from './packet-reader.ts'
import { ANSWER, type Field, Fields, malformed, REQUEST, STATUS, writePacket } from './packets.ts'

/** A file or directory that is open at the server. */
export type Handle = Buffer

/** What a server refused, by its number (STATUS); what that means depends on what was asked. */
export class StatusError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface Named {
  /** As the server has it. */
  readonly name: Buffer
  readonly attributes: Attributes
}

/** Hears of one read, in the order in which its data comes. */
export interface ReadListener {
  data(piece: Buffer): void
  /** The answer is over: with the last piece, or at once when there is nothing to read any more. */
  ended(outcome: 'data' | 'eof'): void
  failed(error: Error): void
}

interface Pending {
  answered(type: number, fields: Fields): void
  data?(piece: Buffer, isLast: boolean): void
  failed(error: Error): void
}

export interface SessionOptions {
  /** For messages: host and port, and a URL of them. */
  readonly where: string
  readonly uri: string
  /** Longest silence while an answer is owed, ms. */
  readonly idleMs: number
}

/** What every server takes (draft, 6.4); OpenSSH's says how much more it takes. */
const LEAST_READ = 32 * 1024
/** Larger requests bring nothing more, and small ones share a connection more fairly. */
const MOST_READ = 256 * 1024
const PING_MS = 15_000

export class SftpSession {
  readonly #channel: ClientChannel
  readonly #client: Client
  readonly #socket: Socket
  readonly #where: string
  readonly #uri: string
  readonly #idleMs: number
  readonly #reader = new PacketReader({
    packet: (type, body) => this.#packet(type, body),
    data: (request, piece, isLast) => this.#data(request, piece, isLast),
  })
  readonly #pending = new Map<number, Pending>()
  readonly #watch: NodeJS.Timeout
  readonly #gone = Promise.withResolvers<void>()
  #version: ((body: Fields) => void) | undefined
  #lastNumber = 0
  #heardAt = performance.now()
  #failure: TransferError | undefined
  /** Most bytes of one read. */
  readSize = LEAST_READ

  constructor(channel: ClientChannel, client: Client, socket: Socket, { where, uri, idleMs }: SessionOptions) {
    this.#channel = channel
    this.#client = client
    this.#socket = socket
    this.#where = where
    this.#uri = uri
    this.#idleMs = idleMs
    channel.on('data', (bytes: Buffer) => this.#heard(bytes))
    channel.stderr.resume()
    channel.on('close', () => this.#die(this.#cut()))
    client.on('error', () => this.#die(this.#cut()))
    client.on('close', () => {
      this.#die(this.#cut())
      this.#gone.resolve()
    })
    this.#watch = setInterval(() => this.#look(), Math.max(50, Math.min(idleMs / 4, 5000)))
    this.#watch.unref()
  }

  get isAlive(): boolean {
    return this.#failure === undefined
  }

  /** Agrees on the version, and asks for the server's limits if it tells them. */
  async start(): Promise<void> {
    const fields = await new Promise<Fields>((resolve, reject) => {
      this.#version = resolve
      this.#pending.set(0, { answered: () => reject(malformed('an answer before its version')), failed: reject })
      this.#channel.write(writePacket(REQUEST.init, [3]))
    })
    this.#pending.delete(0)
    const version = fields.number()
    if (version < 3) {
      throw new TransferError('Unsupported', `Cannot use ${this.#uri}: it must speak SFTP 3, got ${version}`)
    }
    while (!fields.isAtEnd) {
      const [name] = [fields.string().toString(), fields.string()]
      if (name === 'limits@openssh.com') await this.#askLimits()
    }
  }

  /** For reading. */
  open(path: Buffer): Promise<Handle> {
    return this.#ask(REQUEST.open, [path, 1, 0], ANSWER.handle, fields => fields.string())
  }

  opendir(path: Buffer): Promise<Handle> {
    return this.#ask(REQUEST.opendir, [path], ANSWER.handle, fields => fields.string())
  }

  /** Nobody waits for it: what it frees is at the server. */
  close(handle: Handle): void {
    if (this.isAlive) this.#send(REQUEST.close, [handle], { answered: () => {}, failed: () => {} })
  }

  fstat(handle: Handle): Promise<Attributes> {
    return this.#ask(REQUEST.fstat, [handle], ANSWER.attributes, readAttributes)
  }

  /** Of what a symbolic link leads to. */
  stat(path: Buffer): Promise<Attributes> {
    return this.#ask(REQUEST.stat, [path], ANSWER.attributes, readAttributes)
  }

  /** The next names; undefined when that was all. */
  async readdir(handle: Handle): Promise<Named[] | undefined> {
    try {
      return await this.#ask(REQUEST.readdir, [handle], ANSWER.name, readNames)
    } catch (error) {
      if (error instanceof StatusError && error.status === STATUS.eof) return undefined
      throw error
    }
  }

  /** Returns the request's number: later requests have larger ones. */
  read(handle: Handle, offset: number, length: number, listener: ReadListener): number {
    let left = length
    return this.#send(REQUEST.read, [handle, { wide: offset }, length], {
      data: (piece, isLast) => {
        left -= piece.length
        if (left < 0) throw malformed('more data than was asked for')
        listener.data(piece)
        if (isLast) listener.ended('data')
      },
      answered: (type, fields) => {
        const error = type === ANSWER.status ? readStatus(fields) : malformed(`answer ${type} to a read`)
        if (error instanceof StatusError && error.status === STATUS.eof) listener.ended('eof')
        else listener.failed(error)
      },
      failed: error => listener.failed(error),
    })
  }

  /** The number of the request that was sent last. */
  get lastNumber(): number {
    return this.#lastNumber
  }

  /** An idle connection does not keep the process alive. */
  setIdle(isIdle: boolean): void {
    if (isIdle) this.#socket.unref()
    else this.#socket.ref()
  }

  /** Says goodbye; whatever is under way fails. */
  async end(): Promise<void> {
    this.#die(this.#cut())
    this.#client.end()
    const timer = setTimeout(() => this.#socket.destroy(), 200)
    await this.#gone.promise
    clearTimeout(timer)
  }

  async #askLimits(): Promise<void> {
    const asked = this.#ask(REQUEST.extended, [Buffer.from('limits@openssh.com')], ANSWER.extended, fields => {
      fields.wide()
      return fields.wide()
    })
    const most = await asked.catch(error => {
      if (error instanceof StatusError) return 0
      throw error
    })
    if (most > 0) this.readSize = Math.min(most, MOST_READ)
  }

  #ask<T>(type: number, fields: readonly Field[], expected: number, read: (fields: Fields) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#send(type, fields, {
        answered: (got, answer) => {
          try {
            if (got === expected) resolve(read(answer))
            else if (got === ANSWER.status) reject(readStatus(answer))
            else throw malformed(`answer ${got} to request ${type}`)
          } catch (error) {
            reject(error)
            throw error
          }
        },
        failed: reject,
      })
    })
  }

  #send(type: number, fields: readonly Field[], pending: Pending): number {
    const number = this.#nextNumber()
    if (this.#failure) {
      const failure = this.#failure
      queueMicrotask(() => pending.failed(failure))
      return number
    }
    // Silence counts from when an answer is owed.
    if (this.#pending.size === 0) this.#heardAt = performance.now()
    this.#pending.set(number, pending)
    this.#channel.write(writePacket(type, [number, ...fields]))
    return number
  }

  #nextNumber(): number {
    this.#lastNumber = this.#lastNumber === 0xffff_ffff ? 1 : this.#lastNumber + 1
    return this.#lastNumber
  }

  #heard(bytes: Buffer): void {
    this.#heardAt = performance.now()
    if (this.#failure) return
    try {
      this.#reader.push(bytes)
    } catch (error) {
      // What a server sends wrongly makes all that follows doubtful.
      this.#die(error instanceof TransferError ? error : malformed(`what cannot be read (${String(error)})`))
    }
  }

  #packet(type: number, body: Buffer): void {
    if (type === ANSWER.version) {
      this.#version?.(new Fields(body))
      return
    }
    const fields = new Fields(body)
    const number = fields.number()
    const pending = this.#pending.get(number)
    if (!pending) throw malformed(`an answer to request ${number}, which was not made`)
    this.#pending.delete(number)
    pending.answered(type, fields)
  }

  #data(number: number, piece: Buffer, isLast: boolean): void {
    const pending = this.#pending.get(number)
    if (!pending?.data) throw malformed(`data for request ${number}, which did not ask for it`)
    if (isLast) this.#pending.delete(number)
    pending.data(piece, isLast)
  }

  #look(): void {
    const silentMs = performance.now() - this.#heardAt
    if (this.#pending.size > 0) {
      if (silentMs > this.#idleMs) this.#die(timeoutError('idle', this.#where, this.#uri))
    } else if (silentMs > PING_MS) {
      // Keeps firewalls from forgetting the connection, and finds out if it is dead.
      this.#ask(REQUEST.realpath, [Buffer.from('.')], ANSWER.name, () => {}).catch(() => {})
    }
  }

  #cut(): TransferError {
    return cutError(this.#where, this.#uri, undefined)
  }

  #die(failure: TransferError): void {
    if (this.#failure) return
    this.#failure = failure
    clearInterval(this.#watch)
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const one of pending) one.failed(failure)
    // A server that sends what nobody can read, or nothing, is not worth a goodbye.
    if (failure.code !== 'Network') this.#socket.destroy()
  }
}

function readStatus(fields: Fields): StatusError {
  const status = fields.number()
  // Servers of version 3 say why in words, but some leave it out.
  return new StatusError(status, fields.isAtEnd ? `status ${status}` : fields.string().toString())
}

function readNames(fields: Fields): Named[] {
  const names: Named[] = []
  for (let left = fields.number(); left > 0; left--) {
    const name = fields.string()
    // The line of `ls -l` says nothing that the attributes do not.
    fields.string()
    names.push({ name, attributes: readAttributes(fields) })
  }
  return names
}
