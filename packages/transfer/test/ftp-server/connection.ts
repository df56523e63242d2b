/** One control connection of a test server, and the data connection that it has open. */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type createSecureContext, TLSSocket } from 'node:tls'
import type { FtpBehaviour, TransferFault } from './behaviour.ts'
import { listingOf, stamp } from './listing.ts'
import { absolute, type Tree } from './tree.ts'

export interface FtpHost {
  readonly tree: Tree
  readonly behaviour: FtpBehaviour
  readonly secureContext: ReturnType<typeof createSecureContext> | undefined
  /** Notes a command; returns how many of its verb came before. */
  note(line: string): number
  noteTransfer(verb: string): number
}

const PIECE = 64 * 1024

export class FtpConnection {
  readonly #host: FtpHost
  #socket: Socket
  #rest = ''
  #user: string | undefined
  #isLoggedIn = false
  #directory = '/'
  #start = 0
  #isDataSecure = false
  #passive: Server | undefined
  #data: Promise<Socket> | undefined
  #queue: Promise<void> = Promise.resolve()
  #saying: Promise<void> = Promise.resolve()
  readonly #open = new Set<Socket>()

  constructor(host: FtpHost, socket: Socket) {
    this.#host = host
    this.#socket = host.behaviour.tls === 'implicit' ? this.#secured(socket) : socket
    this.#listen()
    this.#say(host.behaviour.greeting)
  }

  destroy(): void {
    this.#passive?.close()
    for (const socket of this.#open) socket.destroy()
    this.#socket.destroy()
  }

  #secured(socket: Socket): TLSSocket {
    return new TLSSocket(socket, { isServer: true, secureContext: this.#host.secureContext })
  }

  #listen(): void {
    this.#socket.setEncoding('latin1')
    this.#socket.on('error', () => this.destroy())
    this.#socket.on('close', () => this.destroy())
    this.#socket.on('data', (text: unknown) => {
      this.#rest += text as string
      const lines = this.#rest.split('\r\n')
      this.#rest = lines.pop() as string
      for (const line of lines) this.#queue = this.#queue.then(() => this.#command(line)).catch(() => this.destroy())
    })
  }

  #say(reply: string): void {
    const { cutReplies } = this.#host.behaviour
    if (this.#socket.destroyed) return
    if (cutReplies === undefined) return void this.#socket.write(`${reply}\r\n`, 'latin1')
    this.#saying = this.#saying.then(async () => {
      this.#socket.write(reply.slice(0, cutReplies), 'latin1')
      await sleep(10)
      if (!this.#socket.destroyed) this.#socket.write(`${reply.slice(cutReplies)}\r\n`, 'latin1')
    })
  }

  async #command(line: string): Promise<void> {
    const { behaviour } = this.#host
    if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs)
    const [, verb = '', argument = ''] = /^(\S+) ?(.*)$/s.exec(line) ?? []
    const name = verb.toUpperCase()
    const nth = this.#host.note(line)
    const scripted = behaviour.onCommand(name, argument, nth)
    if (scripted === 'hang') return
    if (scripted === 'close') return this.destroy()
    if (scripted !== undefined) return this.#say(scripted)
    if (!this.#isLoggedIn && !['USER', 'PASS', 'AUTH', 'QUIT', 'FEAT'].includes(name))
      return this.#say('530 log in first')
    await this.#obey(name, argument)
  }

  async #obey(verb: string, argument: string): Promise<void> {
    const { behaviour, tree } = this.#host
    const path = absolute(this.#directory, argument)
    switch (verb) {
      case 'USER':
        this.#user = argument
        return this.#say('331 password?')
      case 'PASS':
        this.#isLoggedIn = this.#user === 'anonymous' || (behaviour.users[this.#user ?? ''] ?? Number.NaN) === argument
        return this.#say(this.#isLoggedIn ? '230 welcome' : '530 Login incorrect.')
      case 'AUTH':
        if (behaviour.tls !== 'explicit') return this.#say('502 no TLS')
        this.#say('234 go on')
        this.#socket.removeAllListeners()
        this.#socket = this.#secured(this.#socket)
        return this.#listen()
      case 'PBSZ':
        return this.#say('200 PBSZ=0')
      case 'PROT':
        this.#isDataSecure = argument === 'P'
        return this.#say('200 done')
      case 'FEAT':
        if (!behaviour.features) return this.#say('502 unknown')
        return this.#say(['211-Features', ...behaviour.features.map(feature => ` ${feature}`), '211 End'].join('\r\n'))
      case 'OPTS':
      case 'TYPE':
      case 'NOOP':
        return this.#say('200 done')
      case 'QUIT':
        this.#say('221 bye')
        return void this.#socket.end()
      case 'PWD':
        return this.#say(`257 "${this.#directory.replaceAll('"', '""')}" is the current directory`)
      case 'CWD':
        if (!tree.isDirectory(path)) return this.#say('550 No such directory')
        this.#directory = path
        return this.#say('250 done')
      case 'SIZE':
        return this.#say(tree.file(path) ? `213 ${tree.file(path)?.content.length}` : '550 No such file')
      case 'MDTM':
        return this.#say(tree.file(path) ? `213 ${stamp(tree.file(path)?.time as number)}` : '550 No such file')
      case 'REST':
        if (!behaviour.isRestKnown) return this.#say('502 unknown')
        this.#start = Number(argument)
        return this.#say(`350 from ${argument}`)
      case 'EPSV':
        return behaviour.isEpsvKnown
          ? this.#listenForData(port => `229 extended (|||${port}|)`)
          : this.#say('500 unknown')
      case 'PASV':
        return this.#listenForData(port => `227 passive (${behaviour.pasvAddress},${port >> 8},${port & 255})`)
      case 'RETR':
        return this.#send(verb, path, tree.file(path)?.content)
      case 'MLSD':
      case 'LIST':
      case 'NLST': {
        if (!behaviour.lists.includes(verb)) return this.#say('502 unknown')
        const isOption = argument.startsWith('-')
        const text = listingOf(
          tree,
          isOption || argument === '' ? this.#directory : path,
          verb,
          isOption ? argument : '',
          behaviour,
        )
        return this.#send(verb, path, Buffer.from(text, 'latin1'))
      }
      default:
        return this.#say('502 unknown')
    }
  }

  async #listenForData(reply: (port: number) => string): Promise<void> {
    this.#passive?.close()
    const server = createServer({ pauseOnConnect: false })
    this.#passive = server
    this.#data = once(server, 'connection').then(([socket]) => {
      const accepted = socket as Socket
      this.#open.add(accepted)
      accepted.on('error', () => {})
      accepted.on('close', () => this.#open.delete(accepted))
      server.close()
      return accepted
    })
    this.#data.catch(() => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#say(reply((server.address() as { port: number }).port))
  }

  async #send(verb: string, path: string, content: Uint8Array | undefined): Promise<void> {
    const { behaviour } = this.#host
    const start = verb === 'RETR' ? this.#start : 0
    this.#start = 0
    if (!content) return this.#say('550 No such file')
    if (!this.#data) return this.#say('425 use PASV first')
    const fault = behaviour.onTransfer({ verb, path, start, index: this.#host.noteTransfer(verb) }) ?? {}
    this.#say('150 here it comes')
    const socket = await this.#data
    this.#data = undefined
    const isWhole = await this.#pour(await this.#dataSocket(socket), content.subarray(start), fault)
    socket.destroy()
    if (fault.finalReply === '') return
    this.#say(fault.finalReply ?? (isWhole ? '226 done' : '426 broken off'))
  }

  async #dataSocket(socket: Socket): Promise<Socket> {
    if (!this.#isDataSecure) return socket
    const secure = this.#secured(socket)
    secure.on('error', () => {})
    await once(secure, 'secure')
    if (this.#host.behaviour.needsReuse && !secure.isSessionReused()) secure.destroy()
    return secure
  }

  /** True if everything went out. */
  async #pour(socket: Socket, content: Uint8Array, fault: TransferFault): Promise<boolean> {
    const { cutAfter = Number.POSITIVE_INFINITY, stallAfter = Number.POSITIVE_INFINITY, extra = 0, rate, after } = fault
    const total = content.length + extra
    let isTold = false
    for (let at = 0; at < total; ) {
      if (socket.destroyed) return false
      if (at >= cutAfter) return false
      if (at >= stallAfter) {
        await once(socket, 'close')
        return false
      }
      const end = Math.min(total, at + (rate ? Math.max(1, Math.floor(rate / 50)) : PIECE), cutAfter, stallAfter)
      const piece = at < content.length ? content.subarray(at, Math.min(end, content.length)) : new Uint8Array(end - at)
      if (!socket.write(piece)) await drained(socket)
      at += piece.length
      if (after && !isTold && at >= after.bytes) {
        isTold = true
        after.call()
      }
      if (rate) await sleep(20)
    }
    if (total >= cutAfter && cutAfter < total) return false
    if (socket.destroyed) return false
    await new Promise<void>(resolve => socket.end(resolve)).catch(() => {})
    return true
  }
}

async function drained(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const events = ['drain', 'close', 'error'] as const
  for (const event of events) socket.on(event, resolve)
  await promise
  for (const event of events) socket.off(event, resolve)
}
