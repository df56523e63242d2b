/** The other librarians: whether they answer, and what goes to and fro. */
import { instantOf, millisecondsOf } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Holdings } from '../../catalogue/operations/overview.ts'
import type { Peer } from '../../catalogue/operations/peers.ts'
import type { Clock } from '../../clock.ts'
import { createPaced } from './paced.ts'
import type { SiteWatch } from './site-watch.ts'
import { HOUR_MS, KEPT_HOURS, type TrafficHours } from './traffic-hours.ts'

export interface Amount {
  readonly files: number
  readonly bytes: number
}

export interface Site {
  readonly peer: Peer
  readonly reachable: boolean | null
  /** On its way. */
  readonly outgoing: Amount
  readonly incoming: Amount
  /** Of the last seven days. */
  readonly sent: Amount & { readonly failed: number }
  readonly received: Amount & { readonly failed: number }
  /** Copies that it is known to hold. */
  readonly copies: number
}

export interface SitesOptions {
  readonly catalogue: Pick<Catalogue, 'peers' | 'traffic'>
  readonly holdings: () => Promise<Holdings>
  readonly hours: TrafficHours
  readonly watch: Pick<SiteWatch, 'reachable'>
  readonly clock: Clock
}

type Both = {
  readonly direction: 'in' | 'out'
  readonly other: string
  readonly files: number
  readonly bytes?: number
}

/** Sums are made at most once in two seconds, whoever asks; what somebody has just switched is told as it is. */
export function createSites({
  catalogue,
  holdings,
  hours,
  watch,
  clock,
}: SitesOptions): () => Promise<readonly Site[]> {
  async function add(): Promise<(peer: Peer) => Omit<Site, 'peer' | 'reachable'>> {
    const now = await catalogue.traffic.now()
    const librarians = (await catalogue.peers.list()).map(({ name }) => name)
    const since = instantOf(new Date(millisecondsOf(now) - KEPT_HOURS * HOUR_MS))
    const [rows, open, failed, kept] = await Promise.all([
      hours(now),
      catalogue.traffic.open(),
      catalogue.traffic.failed({ since, librarians }),
      holdings(),
    ])
    return ({ id, name }) => {
      const sum = (all: readonly Both[], direction: 'in' | 'out') => sumOf(all, direction, name)
      return {
        outgoing: sum(open, 'out'),
        incoming: sum(open, 'in'),
        sent: { ...sum(rows, 'out'), failed: sum(failed, 'out').files },
        received: { ...sum(rows, 'in'), failed: sum(failed, 'in').files },
        copies: kept.remoteCopies.find(({ librarianId }) => librarianId === id)?.copies ?? 0,
      }
    }
  }

  const added = createPaced(add, { clock, everyMs: 2000 })
  return async () => {
    const [peers, sumsOf] = await Promise.all([catalogue.peers.list(), added()])
    return peers.map(peer => ({ peer, reachable: watch.reachable(peer), ...sumsOf(peer) }))
  }
}

function sumOf(all: readonly Both[], direction: 'in' | 'out', name: string): Amount {
  const some = all.filter(each => each.direction === direction && each.other === name)
  return {
    files: some.reduce((sum, { files }) => sum + files, 0),
    bytes: some.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
  }
}
