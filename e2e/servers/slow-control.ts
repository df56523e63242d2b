/** A relay before an FTP server that makes it far away: every command takes a while longer, data connections do not. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface SlowControl extends AsyncDisposable {
  /** In place of the server's: `ftp://127.0.0.1:40123`. */
  readonly origin: string
  /** How many commands of a verb passed. */
  count(verb: string): number
  /** Most connections at once so far. */
  readonly peak: number
  close(): Promise<void>
}

/**
 * @param origin of a server on this machine, in the clear: `ftp://127.0.0.1:21`. Its replies name ports of its own for
 *   the data, which are connected to directly.
 * @param latencyMs that each command of a connection waits, one after the other
 */
export async function startSlowControl(origin: string, latencyMs: number): Promise<SlowControl> {
  const { hostname, port } = new URL(origin)
  const open = new Set<Socket>()
  const verbs: string[] = []
  let peak = 0
  const server = createServer({ noDelay: true }, client => {
    const upstream = connect({ host: hostname, port: Number(port), noDelay: true })
    relay(client, upstream, async line => {
      verbs.push((line.split(/\s/, 1)[0] as string).toUpperCase())
      await sleep(latencyMs)
      return line
    })
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
    }
    peak = Math.max(peak, open.size / 2)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    for (const socket of open) socket.destroy()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  return {
    origin: `ftp://127.0.0.1:${(server.address() as { port: number }).port}`,
    count: verb => verbs.filter(each => each === verb).length,
    get peak() {
      return peak
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function relay(client: Socket, upstream: Socket, delayed: (line: string) => Promise<string>): void {
  let rest = ''
  let queue = Promise.resolve()
  client.setEncoding('latin1').on('data', (text: unknown) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() as string
    for (const line of lines) {
      queue = queue.then(async () => void upstream.write(`${await delayed(line)}\n`, 'latin1'))
    }
  })
  upstream.pipe(client)
  client.on('end', () => void queue.then(() => upstream.end()))
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    socket.on('error', () => other.destroy())
    socket.on('close', () => other.destroy())
  }
}
