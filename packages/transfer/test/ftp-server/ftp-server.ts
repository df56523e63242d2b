/** An FTP server in this process, whose files and faults a test controls. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { makeCertificate } from '../fault-server/certificate.ts'
import { type FtpBehaviour, usualBehaviour } from './behaviour.ts'
import { FtpConnection } from './connection.ts'
import { Tree } from './tree.ts'

export interface FtpServer extends AsyncDisposable {
  readonly tree: Tree
  readonly behaviour: FtpBehaviour
  readonly port: number
  /** `ftp://127.0.0.1:40123`, or `ftps:` for implicit TLS. */
  readonly origin: string
  /** To trust, under TLS. */
  readonly ca: string
  /** Every command line so far. */
  readonly commands: readonly string[]
  /** How many commands of a verb came. */
  count(verb: string): number
  /** Control connections so far, and now. */
  readonly connections: { readonly total: number; readonly open: number; readonly peak: number }
  /** Closes all control connections, as an idle timeout would. */
  hangUp(farewell?: string): void
}

/** @param port default: any that is free */
export async function startFtpServer(behaviour: Partial<FtpBehaviour> = {}, port = 0): Promise<FtpServer> {
  const full = { ...usualBehaviour(), ...behaviour }
  const certificate = full.tls === 'none' ? undefined : makeCertificate()
  const secureContext = certificate && createSecureContext({ cert: certificate.certificate, key: certificate.key })
  const tree = new Tree()
  const commands: string[] = []
  const transfers = new Map<string, number>()
  const open = new Map<FtpConnection, Socket>()
  const connections = { total: 0, open: 0, peak: 0 }
  const count = (verb: string) => commands.filter(line => line === verb || line.startsWith(`${verb} `)).length
  const server = createServer({ noDelay: true }, socket => {
    connections.total++
    if (open.size >= full.most) {
      socket.on('error', () => {})
      return void socket.end('421 There are too many connections from your internet address.\r\n')
    }
    const host = {
      tree,
      behaviour: full,
      secureContext,
      note(line: string) {
        const before = count(line.split(' ', 1)[0] as string)
        commands.push(line)
        return before
      },
      noteTransfer(verb: string) {
        const before = transfers.get(verb) ?? 0
        transfers.set(verb, before + 1)
        return before
      },
    }
    const connection = new FtpConnection(host, socket)
    open.set(connection, socket)
    connections.open = open.size
    connections.peak = Math.max(connections.peak, open.size)
    socket.on('close', () => {
      open.delete(connection)
      connections.open = open.size
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const { port: listening } = server.address() as { port: number }
  return {
    tree,
    behaviour: full,
    port: listening,
    origin: `${full.tls === 'implicit' ? 'ftps' : 'ftp'}://127.0.0.1:${listening}`,
    ca: certificate?.certificate ?? '',
    commands,
    count,
    connections,
    hangUp(farewell) {
      for (const [connection, socket] of open) {
        if (farewell) socket.end(`${farewell}\r\n`)
        else connection.destroy()
      }
    },
    async [Symbol.asyncDispose]() {
      for (const connection of open.keys()) connection.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
