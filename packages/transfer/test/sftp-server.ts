/** An SFTP server in this process, with files in memory, whose faults a test scripts. */
import { createHash } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import ssh2, { type AuthContext, type Connection, type ParsedKey } from 'ssh2'
import type { Behaviour, Users } from './sftp-server/behaviour.ts'
import { serveSftp } from './sftp-server/session.ts'
import { Tree } from './sftp-server/tree.ts'

export type { Behaviour, ReadAsked, ReadFault } from './sftp-server/behaviour.ts'

export interface SftpServerOptions {
  readonly users?: readonly Users[] | undefined
  readonly behaviour?: Behaviour | undefined
  /** Private keys of the host. Default: one ed25519 key, made for it. */
  readonly hostKeys?: readonly string[] | undefined
}

export interface SftpServer extends AsyncDisposable {
  readonly port: number
  /** `sftp://me@127.0.0.1:port`. */
  readonly origin: string
  readonly tree: Tree
  readonly behaviour: Behaviour
  /** A line of known_hosts per host key. */
  readonly knownHosts: string
  readonly fingerprints: readonly string[]
  /** Logins that were tried, as `method`. */
  readonly logins: readonly string[]
  /** Connections so far, and those that are open. */
  readonly connections: number
  readonly open: number
  /** READs so far. */
  readonly reads: number
  close(): Promise<void>
}

export const HOME = '/home/me'

export async function startSftpServer(options: SftpServerOptions = {}): Promise<SftpServer> {
  const { users = [{ name: 'me', password: 'secret word' }], behaviour = {} } = options
  const hostKeys = options.hostKeys ?? [makeKey('ed25519').private]
  const tree = new Tree()
  const logins: string[] = []
  const sockets = new Set<Socket>()
  let [connections, sessions, reads] = [0, 0, 0]

  const server = new ssh2.Server({ hostKeys: [...hostKeys] }, (client: Connection) => {
    const connection = connections
    const { _sock: socket } = client as unknown as { _sock: Socket }
    client.on('error', () => {})
    client.on('authentication', context => logIn(context, users, logins))
    client.on('session', (accept, reject) => {
      if (++sessions > (behaviour.mostSessions ?? Number.POSITIVE_INFINITY)) return reject()
      accept().on('sftp', acceptSftp =>
        serveSftp(acceptSftp(), {
          tree,
          behaviour,
          connection,
          home: HOME,
          nextRead: () => ++reads,
          cut: () => socket.destroy(),
        }),
      )
    })
  })
  // Before the library sees a connection: it may not get to see it.
  const inner = (server as unknown as { _srv: import('node:net').Server })._srv
  inner.prependListener('connection', (socket: Socket) => {
    connections++
    // The library writes a packet in three pieces: each would wait for the acknowledgement of the one before.
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    if (sockets.size > (behaviour.mostConnections ?? Number.POSITIVE_INFINITY)) socket.destroy()
    if (behaviour.isMute) socket.write = () => true
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const close = async () => {
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  const publicKeys = hostKeys.map(key => parse(key).getPublicSSH())
  return {
    port,
    origin: `sftp://me@127.0.0.1:${port}`,
    tree,
    behaviour,
    knownHosts: publicKeys.map(key => `${knownLine(`[127.0.0.1]:${port}`, key)}\n`).join(''),
    fingerprints: publicKeys.map(fingerprint),
    logins,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    get reads() {
      return reads
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A key pair: both parts as files have them, and the public one in wire form. */
export function makeKey(type: 'ed25519' | 'ecdsa' | 'rsa', passphrase?: string) {
  const options = {
    ...(type === 'ecdsa' ? { bits: 256 } : type === 'rsa' ? { bits: 2048 } : {}),
    ...(passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr' }),
  }
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync(type as 'rsa', options as never)
    const parsed = ssh2.utils.parseKey(made.public)
    // The library cuts zeros off the front of an Ed25519 key: one in 256 that it makes is none.
    if (!(parsed instanceof Error)) return { ...made, wire: parsed.getPublicSSH() }
  }
}

export function knownLine(hosts: string, key: Buffer): string {
  const type = key.subarray(4, 4 + key.readUInt32BE(0)).toString()
  return `${hosts} ${type} ${key.toString('base64')}`
}

function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

function parse(text: string): ParsedKey {
  const parsed = ssh2.utils.parseKey(text)
  if (parsed instanceof Error) throw parsed
  return parsed
}

function logIn(context: AuthContext, users: readonly Users[], logins: string[]): void {
  const user = users.find(({ name }) => name === context.username)
  const offered = [
    ...(user?.keys ? ['publickey'] : []),
    ...(user?.password === undefined ? [] : [user.isPasswordAsked ? 'keyboard-interactive' : 'password']),
  ]
  const refuse = () => context.reject((offered.length > 0 ? offered : ['password']) as never)
  if (context.method !== 'none') logins.push(context.method)
  if (context.method === 'password') {
    return context.password === user?.password && !user?.isPasswordAsked ? context.accept() : refuse()
  }
  if (context.method === 'keyboard-interactive' && user?.isPasswordAsked) {
    return context.prompt([{ prompt: 'Password: ', echo: false }], answers =>
      answers[0] === user.password ? context.accept() : refuse(),
    )
  }
  if (context.method !== 'publickey') return refuse()
  const known = user?.keys?.find(key => key.equals(context.key.data))
  if (!known) return refuse()
  if (!context.signature || !context.blob) return context.accept()
  const parsed = ssh2.utils.parseKey(known) as ParsedKey
  return parsed.verify(context.blob, context.signature, context.hashAlgo) === true ? context.accept() : refuse()
}
