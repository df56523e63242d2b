/** What somebody on shift must see at once, computed for all of them together. */
import type { AnswerInput, endpoints, Instant } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Holdings } from '../../catalogue/operations/overview.ts'
import type { OpenTraffic } from '../../catalogue/operations/traffic.ts'
import type { Clock } from '../../clock.ts'
import type { Settings } from '../../config.ts'
import type { Stores } from '../../stores/stores.ts'
import { version } from '../../version.ts'
import type { PacedLook } from '../figures/paced-look.ts'
import type { Waiting } from '../sending/waiting.ts'
import { drainOf, fillOf, flowOf } from './forecasts.ts'
import { needsOf } from './needs.ts'
import { createPaced } from './paced.ts'
import type { SiteWatch } from './site-watch.ts'
import type { TrafficHours } from './traffic-hours.ts'

export type Overview = AnswerInput<typeof endpoints.dashboard.overview>

export interface OverviewOptions {
  readonly settings: Pick<Settings, 'displayedSiteName' | 'background'>
  readonly catalogue: Pick<Catalogue, 'traffic' | 'overview' | 'peers' | 'stores' | 'errors' | 'destructions' | 'tasks'>
  readonly stores: Pick<Stores, 'byId'>
  readonly holdings: () => Promise<Holdings>
  readonly hours: TrafficHours
  readonly sites: Pick<SiteWatch, 'reachable'>
  readonly waiting: PacedLook<readonly Waiting[]>
  readonly clock: Clock
}

const EVERY_MS = 2000
const MOST_ERRORS = 200

/** At most once in two seconds, whoever asks. */
export function createOverview(options: OverviewOptions): () => Promise<Overview> {
  const { settings, catalogue, clock } = options
  const periods = settings.background.scrub.map(({ period }) => period / 1000)

  async function compute(): Promise<Overview> {
    const now = await catalogue.traffic.now()
    const [rows, open, kept, errors, taskList, proposals, bad] = await Promise.all([
      options.hours(now),
      catalogue.traffic.open(),
      options.holdings(),
      catalogue.errors.search({ includeResolved: false, limit: MOST_ERRORS }),
      catalogue.tasks.list(),
      catalogue.destructions.proposed({ limit: 100 }),
      catalogue.overview.notOk(),
    ])
    const [backlog, stores] = await Promise.all([
      backlogOf(options, { rows, open, now }),
      storesOf(options, { rows, now }),
    ])
    const proof = {
      oldest_time: kept.oldestReading,
      unproven_files: bad['never-checked'] ?? 0,
      period_seconds: periods.length > 0 ? Math.max(...periods) : null,
      by_state: { ...noCopies, ...bad, ok: kept.ok },
    }
    const ground = { backlog, proof, stores, now, errors, taskList, proposals: proposals.length }
    return {
      site_name: settings.displayedSiteName,
      version,
      time: now,
      flow: flowOf(rows, now),
      backlog,
      proof,
      stores,
      needs: needsOf(ground),
      tasks: {
        failed: taskList.filter(({ outcome }) => outcome === 'failed').length,
        off: taskList.filter(({ state }) => state === 'off').length,
      },
      transfers: { incoming: filesOf(open, 'in'), outgoing: filesOf(open, 'out') },
    }
  }

  return createPaced(compute, { clock, everyMs: EVERY_MS })
}

const noCopies = { mismatch: 0, missing: 0, unreadable: 0, unavailable: 0, 'never-checked': 0 }

interface Seen {
  readonly rows: Awaited<ReturnType<TrafficHours>>
  readonly open: readonly OpenTraffic[]
  readonly now: Instant
}

async function backlogOf(
  { catalogue, sites, waiting }: OverviewOptions,
  { rows, open, now }: Seen,
): Promise<Overview['backlog']> {
  const [begun, notBegun] = [open.filter(({ direction }) => direction === 'out'), (await waiting())?.value ?? []]
  return (await catalogue.peers.list()).map(peer => {
    const parts = [
      ...begun.filter(({ other }) => other === peer.name),
      ...notBegun.filter(({ destination }) => destination === peer.name),
    ]
    const files = parts.reduce((sum, part) => sum + part.files, 0)
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
    const reachable = sites.reachable(peer)
    const oldest = parts.flatMap(part => part.oldest ?? []).toSorted()[0] ?? null
    const { bytesPerHour, seconds } = drainOf({ bytes }, peer.name, rows, now)
    return {
      librarian_name: peer.name,
      enabled: peer.transfersEnabled,
      reachable,
      files,
      bytes,
      bytes_per_hour: bytesPerHour,
      // Whatever flowed in the last hours, nothing does now.
      drain_seconds: reachable === false && files > 0 ? null : seconds,
      oldest_time: oldest,
    }
  })
}

async function storesOf(
  { catalogue, stores }: OverviewOptions,
  { rows, now }: Omit<Seen, 'open'>,
): Promise<Overview['stores']> {
  const known = await catalogue.stores.list()
  return Promise.all(
    known.map(async ({ id, name, enabled, ingestable }) => {
      const state = await stores.byId(id)?.store.state()
      const { free, total } = state?.available ? state : { free: null, total: null }
      const { perDay, fullTime } = fillOf(id, free, rows, now)
      return {
        store_name: name,
        enabled,
        ingestable,
        available: state?.available ?? false,
        reason: state ? (state.available ? null : state.reason) : 'The settings do not name it.',
        free: free === null ? null : Math.trunc(free),
        total: total === null ? null : Math.trunc(total),
        used_per_day: perDay,
        full_time: fullTime,
      }
    }),
  )
}

function filesOf(open: readonly OpenTraffic[], of: OpenTraffic['direction']): number {
  return open.filter(({ direction }) => direction === of).reduce((sum, { files }) => sum + files, 0)
}
