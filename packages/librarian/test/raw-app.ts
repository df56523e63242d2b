/** The real app on a real socket, with users that are who they say they are. */
import { connect, type Socket } from 'node:net'
import { type Level, LibrarianError, levels } from '@arriero/api'
import { createApp } from '../src/app.ts'
import { systemClock } from '../src/clock.ts'
import { type Log, silentLog } from '../src/log.ts'
import type { RawRoute } from '../src/routes/raw-route.ts'
import type { Route } from '../src/routes/route.ts'

export interface RawApp extends AsyncDisposable {
  readonly origin: string
  readonly port: number
  /** Sends text on a socket of its own, and resolves to all that came back until it was closed, or nothing came for a while. */
  exchange(text: string | Buffer, quietMs?: number): Promise<string>
}

export interface RawAppOptions {
  readonly rawRoutes: readonly RawRoute[]
  readonly routes?: readonly Route[]
  /** Levels by user; any other is READAPPEND. */
  readonly users?: Readonly<Record<string, Level>>
  readonly log?: Log
}

export const asUser = (user: string) => ({ authorization: `Basic ${Buffer.from(`${user}:pw`).toString('base64')}` })

export async function startRawApp({
  rawRoutes,
  routes = [],
  users = {},
  log = silentLog,
}: RawAppOptions): Promise<RawApp> {
  const served = new Set(routes.map(({ endpoint }) => endpoint.path))
  const app = await createApp({
    settings: {
      debug: false,
      trustedProxies: [],
      limits: {
        jsonBytes: 1 << 20,
        connectionsPerAddress: 1024,
        connections: 4096,
        requestsPerUser: 512,
        floorRate: 1024,
      },
    },
    routes,
    rawRoutes,
    authenticator: {
      authenticate: async (header, { level }) => {
        const basic = /^Basic (.+)$/.exec(header ?? '')?.[1]
        if (basic === undefined) throw new LibrarianError('NotAuthenticated', 'Not authenticated')
        const name = Buffer.from(basic, 'base64').toString().split(':')[0] as string
        const own = users[name] ?? 'READAPPEND'
        if (levels[own] < levels[level]) throw new LibrarianError('Denied', 'Denied')
        return { name, level: own }
      },
    },
    // Nothing here is asked twice with one key.
    once: async (_, work) => ({ kept: await work(), isReplay: false }),
    readiness: async () => [],
    clock: systemClock,
    log,
    isUnserved: ({ path }) => !served.has(path),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    exchange: (text, quietMs = 300) => exchange(connect(port, '127.0.0.1'), text, quietMs),
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}

function exchange(socket: Socket, text: string | Buffer, quietMs: number): Promise<string> {
  return new Promise(resolve => {
    let answer = ''
    socket.setTimeout(quietMs, () => socket.destroy())
    socket.on('data', data => {
      answer += data.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
    socket.write(text)
  })
}
