/** A thin link on loopback, which can be cut as a radio link is: nothing is closed, and nothing comes any more. */
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ThinLink extends AsyncDisposable {
  readonly port: number
  /** Bytes that came out at the side of those who connect. */
  readonly passed: number
  /** Connections so far. */
  readonly connections: number
  cut(): void
  /** What is sent from now on comes through. What was sent while it was cut does so much later, as TCP repeats it. */
  join(): void
}

export interface ThinLinkOptions {
  /** Where it leads. */
  readonly port: number
  /** Bytes per second, of all connections together. */
  readonly rate: number
}

const PIECE = 16 << 10
/** ms, from when the link is there again. */
const REPEATED_MS = 5000

export async function startThinLink({ port, rate }: ThinLinkOptions): Promise<ThinLink> {
  const sockets = new Set<Socket>()
  let isCut = false
  let joined = Promise.withResolvers<void>()
  let passed = 0
  let connections = 0
  let busyUntil = 0

  /** Resolves when it is the turn of these bytes. */
  async function turn(bytes: number): Promise<void> {
    busyUntil = Math.max(busyUntil, performance.now()) + (bytes / rate) * 1000
    const ms = busyUntil - performance.now()
    if (ms > 2) await sleep(ms)
  }

  async function carry(from: Socket, to: Socket, client: Socket): Promise<void> {
    for await (const bytes of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < bytes.length; at += PIECE) {
        const piece = bytes.subarray(at, at + PIECE)
        await turn(piece.length)
        if (isCut) {
          await joined.promise
          await sleep(REPEATED_MS)
          if (client.destroyed) return
        }
        if (to === client) passed += piece.length
        if (!to.write(piece)) await new Promise(resolve => to.once('drain', resolve).once('close', resolve))
      }
    }
    to.end()
  }

  const server = createServer(client => {
    connections++
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    void carry(client, upstream, client).catch(() => {})
    void carry(upstream, client, client).catch(() => {})
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    get passed() {
      return passed
    },
    get connections() {
      return connections
    },
    cut() {
      isCut = true
      joined = Promise.withResolvers()
    },
    join() {
      isCut = false
      joined.resolve()
    },
    async [Symbol.asyncDispose]() {
      joined.resolve()
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
