/** Other librarians as sources of a repair: ours give bytes over HTTP, real ones are asked to send (librarian 10.10, 11.9). */
import { type Connection, FLOWS, LibrarianError } from '@arriero/api'
import { type Engine, iterate } from '@arriero/transfer'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { PeerConnections } from '../peer-connections.ts'
import type { Upstream } from './upstream.ts'

export interface PeerUpstreamOptions {
  readonly catalogue: Pick<Catalogue, 'peers' | 'remoteProofs'>
  readonly connections: PeerConnections
  readonly engine: Engine
  /** Our own `name`. */
  readonly name: string
}

const GREETING_MS = 20_000

export function createPeerUpstream({ catalogue, connections, engine, name: own }: PeerUpstreamOptions): Upstream {
  return {
    async candidates({ name, source }) {
      const holders = await catalogue.remoteProofs.holdersOf({ name })
      const known = await Promise.all(
        [...new Set([source, ...holders])].map(async librarian => {
          return librarian !== own && (await catalogue.peers.find({ name: librarian })) ? [librarian] : []
        }),
      )
      return known.flat()
    },

    async canFetch(librarian, signal) {
      const { connection } = await connections.to(librarian)
      return await hasFlows(connection, signal)
    },

    async *fetch(librarian, name, { member, size, signal }) {
      const { connection, credentials } = await connections.to(librarian)
      const path = (member === undefined ? name : `${name}/${member}`).split('/').map(encodeURIComponent).join('/')
      const pair = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')
      const headers = { authorization: `Basic ${pair}` }
      // An empty file has no bytes to ask for, and is compared all the same.
      if (size === 0) return
      yield* iterate(`${connection.address}/api/v2/data/${path}`, { engine, headers, size, copy: true, signal })
    },

    async askToSend(librarian, name, signal) {
      const { connection } = await connections.to(librarian)
      const asked = { file_name: name, librarian_name: own }
      const options = signal ? { signal } : {}
      const { ready } = await connection.corrupt.prepare(asked, options)
      if (!ready)
        throw new LibrarianError('Conflict', `Cannot have ${librarian} send ${name} again: it is not ready to`)
      const { success, destination_transfer_id } = await connection.corrupt.resend(asked, options)
      if (success) return destination_transfer_id
      throw new LibrarianError('Conflict', `Cannot have ${librarian} send ${name} again: it says that it could not`)
    },
  }
}

async function hasFlows(connection: Connection, signal: AbortSignal | undefined): Promise<boolean> {
  const limit = AbortSignal.timeout(GREETING_MS)
  const greeting = await connection.greet({ signal: signal ? AbortSignal.any([signal, limit]) : limit })
  return greeting.capabilities.has(FLOWS)
}
