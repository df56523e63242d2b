import { LibrarianError } from '@arriero/api'
import type { PeerConnection } from '../../peer-connections.ts'

/** The librarian cannot be asked now: not a word about any of its files. */
export class PeerDown extends Error {
  readonly retryAfterSeconds: number | undefined

  constructor(cause: unknown) {
    super('The librarian cannot be asked now', { cause })
    this.retryAfterSeconds = cause instanceof LibrarianError ? cause.retryAfterSeconds : undefined
  }
}

/** After a failure that may be the file's or the librarian's: asks who is there. @throws PeerDown */
export async function checkIsUp({ connection }: PeerConnection, signal: AbortSignal): Promise<void> {
  try {
    await connection.ping.logged({}, { signal: AbortSignal.any([signal, AbortSignal.timeout(PING_MS)]) })
  } catch (error) {
    signal.throwIfAborted()
    throw new PeerDown(error)
  }
}

const PING_MS = 30_000
