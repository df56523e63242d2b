/**
 * Copies what a store has to other stores of this site (librarian 12.2): each file to the first of them that is available,
 * enabled and has room. Unlike its predecessor it copies only what is known to be good (C2), knows what is being copied already,
 * and copies several files at once.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { CloneCandidate, CloneSearch } from '../../catalogue/operations/clones.ts'
import type { Log } from '../../log.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import type { CopyMaker } from '../copies/make-copy.ts'
import { createLimit } from '../limit.ts'
import { type Rooms, takeRooms } from './rooms.ts'

export interface LocalCloneRequest {
  readonly from: SiteStore
  /** In order of preference. */
  readonly to: readonly SiteStore[]
  /** Which copies; default: of all ages. */
  readonly ages: Pick<CloneSearch, 'youngerThanSeconds' | 'olderThanSeconds'>
  /** Copies that are made at most. */
  readonly most: number
  /** A store that has no room for a file is disabled, and a person is told. */
  readonly disablesFull: boolean
  /** Number of the copy behind which it goes on; 0: from the first. */
  readonly after: number
  readonly signal: AbortSignal
  /** Asked between files. */
  isOverdue(): boolean
  /** Called after each page with what was done. */
  progress(report: LocalCloneReport): void
}

export interface LocalCloneReport {
  made: number
  failed: number
  bytes: number
  /** Where the next run goes on; undefined: everything was looked at. */
  after: number | undefined
  /** No store had room: a person was told. */
  isFull: boolean
}

export interface LocalClones {
  /** Rejects only for what stands in the way of all of it; single files fail by themselves, each with its reason in its row. */
  run(request: LocalCloneRequest): Promise<LocalCloneReport>
}

export interface LocalClonesOptions {
  readonly catalogue: Pick<Catalogue, 'clones' | 'stores'>
  readonly maker: CopyMaker
  readonly stores: Stores
  readonly alarms: Alarms
  readonly log: Log
  /** Files at once. Default 16. */
  readonly atOnce?: number
}

const PAGE = 128

export function createLocalClones(options: LocalClonesOptions): LocalClones {
  const { catalogue, maker, alarms, log, atOnce = 16 } = options

  async function run(request: LocalCloneRequest): Promise<LocalCloneReport> {
    await maker.recover()
    const report: LocalCloneReport = { made: 0, failed: 0, bytes: 0, after: request.after, isFull: false }
    const rooms = await takeRooms(catalogue, request.to)
    for (;;) {
      const limit = Math.min(PAGE, request.most - report.made)
      const page = await catalogue.clones.candidates({
        ...request.ages,
        fromStoreId: request.from.id,
        toStoreIds: request.to.map(({ id }) => id),
        after: report.after ?? 0,
        limit,
      })
      await copyPage(page, request, rooms, report)
      request.progress({ ...report })
      if (request.signal.aborted || report.isFull || request.isOverdue() || report.made >= request.most) return report
      if (page.length < limit) return { ...report, after: undefined }
    }
  }

  async function copyPage(
    page: readonly CloneCandidate[],
    request: LocalCloneRequest,
    rooms: Rooms,
    report: LocalCloneReport,
  ): Promise<void> {
    const limit = createLimit(atOnce)
    const full = new Set<SiteStore>()
    await Promise.all(
      page.map(candidate =>
        limit(async () => {
          if (request.signal.aborted || report.isFull || request.isOverdue()) return
          for (const store of await copyOne(candidate, request, rooms, report)) full.add(store)
          report.after = Math.max(report.after ?? 0, candidate.id)
        }),
      ),
    )
    // Not before: what is still on its way there would be refused.
    for (const store of request.disablesFull ? full : []) await disable(store)
  }

  /** @returns stores that were found to have no room */
  async function copyOne(
    source: CloneCandidate,
    request: LocalCloneRequest,
    rooms: Rooms,
    report: LocalCloneReport,
  ): Promise<readonly SiteStore[]> {
    const { file } = source
    const { to, full } = rooms.take(file)
    if (!to) {
      report.failed += 1
      // A directory that no bucket takes is no reason to leave the files behind it.
      if (rooms.isFor(file) && !report.isFull) {
        report.isFull = true
        await tellFull(request)
      }
      return full
    }
    try {
      await maker.make({ file, from: source, to, signal: request.signal })
      report.made += 1
      report.bytes += file.size
    } catch (error) {
      rooms.giveBack(to, file)
      if (!request.signal.aborted) report.failed += 1
      const level = error instanceof LibrarianError && error.code === 'Busy' ? 'info' : 'warn'
      log[level]({ err: error, file: file.name, store: to.name }, 'a file was not copied to another store')
    }
    return full
  }

  async function disable({ name }: SiteStore): Promise<void> {
    const detail = { reason: 'it has no room for what is to be copied there' }
    const act = { actor: 'task:create_local_clone', action: 'disable', subject: name, detail }
    if (!(await catalogue.stores.setEnabled({ name, enabled: false, act }))) return
    await alarms.raise({
      severity: 'warning',
      category: 'store_full',
      message: `Store ${name} is full and was disabled. Replace its disk, or make room and enable it by \`arriero stores enable ${name}\`.`,
      caller: 'local-clones',
    })
  }

  async function tellFull({ from, to }: LocalCloneRequest): Promise<void> {
    const names = to.map(({ name }) => name).join(', ')
    await alarms.raise({
      severity: 'error',
      category: 'store_full',
      message: `Copies of what ${from.name} has are not made: none of ${names} is available, enabled and has room.`,
      caller: 'local-clones',
    })
  }

  return { run }
}
