/** Reading everything again (reliability C3), and what was made lately (librarian 12.1). */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { ScrubCopy, ScrubCursor } from '../../catalogue/operations/scrubbing.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import type { CopyReader } from '../copies/read-copies.ts'
import { createBrake } from './brake.ts'
import { inOrder } from './groups.ts'
import { createPace } from './pace.ts'
import { type RoundReport, readRound } from './read-round.ts'

export interface Scrub {
  /** Copies whose last reading is older than half the period, the oldest first: the other half remains to read them in. */
  scrub(request: ScrubRequest, run: ScrubRun): Promise<RoundReport | undefined>
  /** Copies that were made lately, in that order. */
  checkRecent(request: RecentRequest, run: ScrubRun): Promise<RoundReport | undefined>
}

/** Undefined results: there is no such store. */
export interface ScrubRequest {
  readonly storeName: string
  readonly periodMs: number
  /** Undefined: as fast as the store reads. What is older than the period is never held up. */
  readonly bytesPerSecond: number | undefined
}

export interface RecentRequest {
  readonly storeName: string
  /** 0 or less: of all ages. */
  readonly ageInDays: number
  /** Where the run before ended. */
  readonly after?: ScrubCursor | undefined
}

export interface ScrubRun {
  readonly signal: AbortSignal
  readonly isOverdue: () => boolean
  readonly progress: (counts: RoundReport['counts']) => void
  /** All up to here were read. */
  readonly recorded?: ((cursor: ScrubCursor) => void) | undefined
}

export interface ScrubOptions {
  readonly catalogue: Pick<Catalogue, 'scrubbing'>
  readonly stores: Pick<Stores, 'byName'>
  readonly reader: Pick<CopyReader, 'look' | 'record'>
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  /** Groups of copies that are read at once. */
  readonly atOnce: number
}

const PAGE = 512
const DAY_SECONDS = 86_400

export function createScrub({ catalogue, stores, reader, alarms, clock, log, atOnce }: ScrubOptions): Scrub {
  const round = async (
    site: SiteStore,
    copies: Parameters<typeof readRound>[0],
    bytesPerSecond: number | undefined,
    run: Pick<ScrubRun, 'signal' | 'isOverdue' | 'progress'> & Pick<Parameters<typeof readRound>[1], 'recorded'>,
  ) => {
    const brake = await createBrake({ catalogue, alarms, store: site })
    const pace = createPace(bytesPerSecond, clock)
    return await readRound(copies, { site, reader, brake, pace, log, ...run, atOnce })
  }

  return {
    async scrub({ storeName, periodMs, bytesPerSecond }, { signal, isOverdue, progress }) {
      const site = stores.byName(storeName)
      if (!site) return undefined
      const overdueBefore = await catalogue.scrubbing.ago({ seconds: periodMs / 1000 })
      const before = await catalogue.scrubbing.ago({ seconds: periodMs / 2000 })
      const due = { storeId: site.id, before, overdueBefore, limit: PAGE }
      const copies = inOrder((after: ScrubCursor | undefined) => catalogue.scrubbing.due({ ...due, after }), PAGE)
      return await round(site, copies, bytesPerSecond, { signal, isOverdue, progress })
    },

    async checkRecent({ storeName, ageInDays, after: from }, { signal, isOverdue, progress, recorded }) {
      const site = stores.byName(storeName)
      if (!site) return undefined
      const withinSeconds = ageInDays > 0 ? ageInDays * DAY_SECONDS : undefined
      const recent = { storeId: site.id, withinSeconds, limit: PAGE }
      const page = (after: ScrubCursor | undefined) => catalogue.scrubbing.recent({ ...recent, after })
      const run = { signal, isOverdue, progress, recorded: recorded && ((last: ScrubCopy) => recorded(last.cursor)) }
      return await round(site, inOrder(page, PAGE, from), undefined, run)
    },
  }
}
