import type { Link, Watched } from './link.ts'
import { isOutOfReach } from './out-of-reach.ts'

/**
 * Does it, and does it again whenever the link was cut meanwhile.
 *
 * @param act asks with the watched signal, and tells of what comes
 * @throws PeerDown, the signal's reason, what `act` throws
 */
export async function overLink<T>(link: Link, signal: AbortSignal, act: (watched: Watched) => Promise<T>): Promise<T> {
  for (;;) {
    using watched = link.watch(signal)
    try {
      return await act(watched)
    } catch (error) {
      signal.throwIfAborted()
      const cause = watched.signal.aborted ? watched.signal.reason : error
      if (!isOutOfReach(cause)) throw error
      await link.untilBack(cause, signal)
    }
  }
}
