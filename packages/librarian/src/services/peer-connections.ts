/** Connections to other librarians, with the credentials that are kept for them. */
import { type Connection, type ConnectOptions, connect, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Peer } from '../catalogue/operations/peers.ts'
import type { Fernet } from '../secrets/fernet.ts'
import { splitCredentials } from './split-credentials.ts'

export interface PeerConnections {
  /**
   * Asks nobody yet. A connection is kept as long as the peer's address and credentials are the same.
   *
   * @throws LibrarianError `UnknownLibrarian`, `Configuration` where its credentials cannot be read
   */
  to(name: string): Promise<PeerConnection>
}

export interface PeerConnection {
  readonly peer: Peer
  readonly connection: Connection
  /** `user:password` at the other one, for what does not go through the typed calls. */
  readonly credentials: { readonly user: string; readonly password: string }
}

export interface PeerConnectionsOptions {
  readonly catalogue: Pick<Catalogue, 'peers'>
  /** Undefined: no key is configured. */
  readonly fernet: Fernet | undefined
  /** Of every connection; real librarians hash whole files before they answer, so calls have no limit of their own. */
  readonly connectOptions?: Partial<ConnectOptions> | undefined
}

export function createPeerConnections({ catalogue, fernet, connectOptions }: PeerConnectionsOptions): PeerConnections {
  const known = new Map<string, { readonly key: string; readonly made: Omit<PeerConnection, 'peer'> }>()

  function make(peer: Peer): Omit<PeerConnection, 'peer'> {
    if (!fernet) {
      throw new LibrarianError(
        'Configuration',
        `Cannot call ${peer.name}: no encryption_key is set to read its credentials`,
      )
    }
    const credentials = splitCredentials(fernet.decrypt(peer.authenticator))
    const { url: host, port } = peer
    return { credentials, connection: connect({ host, port, ...credentials, ...connectOptions }) }
  }

  return {
    async to(name) {
      const peer = await catalogue.peers.find({ name })
      if (!peer) throw new LibrarianError('UnknownLibrarian', `Cannot call ${name}: there is no such librarian`)
      const key = `${peer.url}:${peer.port} ${peer.authenticator}`
      const found = known.get(name)
      if (found?.key === key) return { peer, ...found.made }
      const made = make(peer)
      known.set(name, { key, made })
      return { peer, ...made }
    },
  }
}
