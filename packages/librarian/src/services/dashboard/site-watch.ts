/** Whether other librarians answer: asked while somebody looks, and not more often than people can read. */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Peer } from '../../catalogue/operations/peers.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { PeerCalls } from '../peer-calls.ts'

export interface SiteWatch {
  /** What is known now, at once; who was not asked lately is being asked. Null: nobody has asked it yet. */
  reachable(peer: Peer): boolean | null
  close(): void
}

export interface SiteWatchOptions {
  readonly catalogue: Pick<Catalogue, 'peers'>
  readonly calls: Pick<PeerCalls, 'ping'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** Default 30,000. */
  readonly everyMs?: number
}

interface Known {
  answers: boolean | null
  askedAt: number
}

export function createSiteWatch({ catalogue, calls, clock, log, everyMs = 30_000 }: SiteWatchOptions): SiteWatch {
  const known = new Map<string, Known>()
  const closing = new AbortController()

  async function ask(peer: Peer, state: Known): Promise<void> {
    try {
      state.answers = await calls.ping(peer, { signal: closing.signal })
      if (state.answers) await catalogue.peers.touch({ name: peer.name, seen: true })
    } catch (error) {
      if (!closing.signal.aborted) log.warn({ err: error, peer: peer.name }, 'Whether a librarian answers is not known')
    }
  }

  return {
    reachable(peer) {
      // Under another address it is asked anew.
      const key = `${peer.name} ${peer.url}:${peer.port}`
      const state = known.get(key) ?? { answers: null, askedAt: Number.NEGATIVE_INFINITY }
      known.set(key, state)
      if (clock.now() - state.askedAt >= everyMs) {
        state.askedAt = clock.now()
        void ask(peer, state)
      }
      return state.answers
    },
    close: () => closing.abort(new Error('The server is stopping')),
  }
}
