/** Calls to other librarians through the wire's own client. */
import { connect, LibrarianError } from '@arriero/api'
import type { PeerCalls } from './peer-calls.ts'

export interface CallPeersOptions {
  /** Our own `name` setting. */
  readonly name: string
  /** For a greeting. Default 5,000. */
  readonly pingMs?: number
  /** For a call that changes something over there. Default 30,000. */
  readonly callMs?: number
}

export function callPeers({ name, pingMs = 5000, callMs = 30_000 }: CallPeersOptions): PeerCalls {
  return {
    async ping({ url, port }, { signal }) {
      try {
        // `ping/` asks for credentials and does not look at them: ours stay here.
        const peer = connect({ host: url, port, user: name, password: 'ping', retries: 0, connectTimeoutMs: pingMs })
        const greeting = await peer.greet({ signal: AbortSignal.any([signal, AbortSignal.timeout(pingMs)]) })
        return greeting.name !== undefined
      } catch {
        signal.throwIfAborted()
        return false
      }
    },

    async tryAccount({ url, port, user, password }, { signal }) {
      const peer = connect({ host: url, port, user, password, retries: 0, connectTimeoutMs: pingMs })
      const limits = { signal: AbortSignal.any([signal, AbortSignal.timeout(pingMs)]) }
      let isThere = false
      try {
        isThere = (await peer.greet(limits)).name !== undefined
        if (!isThere) return { isThere, what: `what answers at ${peer.address} is no librarian` }
        await peer.ping.logged({}, limits)
        return undefined
      } catch (error) {
        signal.throwIfAborted()
        return { isThere, what: whyNot(error, { address: peer.address, user, pingMs }) }
      }
    },

    async failClone({ url, port, user, password }, { id, remoteId, reason }, { signal }) {
      const peer = connect({ host: url, port, user, password, retries: 0, connectTimeoutMs: pingMs })
      await peer.clone.fail(
        { source_transfer_id: id, destination_transfer_id: remoteId, reason },
        { signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) },
      )
    },
  }
}

function whyNot(error: unknown, { address, user, pingMs }: { address: string; user: string; pingMs: number }): string {
  if (!(error instanceof LibrarianError)) return `nobody answered at ${address} within ${pingMs / 1000} s`
  if (error.code !== 'Denied' && error.code !== 'NotAuthenticated') return error.message
  return `the librarian at ${address} refuses the account ${user}: it has no such user, or the password is another`
}
