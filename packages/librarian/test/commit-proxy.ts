/** Stands between a client and PostgreSQL and cuts the connection around a COMMIT. */
import { connect, createServer, type Socket } from 'node:net'

export type Cut =
  /** The server has committed and says so; the client never hears it. */
  | 'reply'
  /** The server gets it, and nobody waits for what it does. */
  | 'both'
  /** The server never gets it. */
  | 'request'

export interface CommitProxy {
  readonly port: number
  /** COMMITs that were cut off. */
  readonly cuts: number
  /** Which COMMIT shall be cut, and how; undefined lets it pass. */
  choose: (nth: number) => Cut | undefined
  close(): Promise<void>
}

const commit = Buffer.concat([Buffer.from('Q'), Buffer.from([0, 0, 0, 11]), Buffer.from('COMMIT\0')])

export async function startCommitProxy(serverPort: number): Promise<CommitProxy> {
  const sockets = new Set<Socket>()
  let commits = 0
  let cuts = 0
  const server = createServer(client => {
    const upstream = connect(serverPort, '127.0.0.1')
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    let isDeaf = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    client.on('data', data => {
      // The driver sends one query at a time, so a COMMIT is a message by itself.
      const cut = data.equals(commit) ? proxy.choose(commits++) : undefined
      if (cut) cuts++
      if (cut === 'request') return end()
      upstream.write(data)
      if (cut === 'both') upstream.end(() => client.destroy())
      if (cut === 'reply') isDeaf = true
    })
    upstream.on('data', data => {
      if (isDeaf) end()
      else client.write(data)
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const proxy: CommitProxy = {
    port: address.port,
    get cuts() {
      return cuts
    },
    choose: () => undefined,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return proxy
}
