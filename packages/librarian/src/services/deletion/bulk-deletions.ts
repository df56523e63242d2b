/**
 * Deletes many copies of one store, each by itself through the gate: for rolling deletion (librarian 12.10) and tiering
 * (reliability B7). What the gate keeps stays, and is asked for again by the next run.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { DeletionCandidate, DeletionSearch } from '../../catalogue/operations/deletions.ts'
import type { Log } from '../../log.ts'
import { createLimit } from '../limit.ts'
import type { DeletionGate } from './gate.ts'

export interface BulkDeletionRequest extends Omit<DeletionSearch, 'limit'> {
  /** Who wants them gone: `task:` and its name. */
  readonly actor: string
  readonly reason: string
  /** Good copies that must be at other librarians. */
  readonly remoteCopies: number
  /** Copies whose policy is DISALLOWED stay. */
  readonly respectsPolicy: boolean
  /** Says what would go, and changes nothing. */
  readonly isDryRun: boolean
  readonly signal: AbortSignal
  /** Asked between copies. */
  isOverdue(): boolean
  /** Called after each page with what was done. */
  progress(report: BulkDeletionReport): void
}

export interface BulkDeletionReport {
  /** Or, of a dry run, those that would go. */
  deleted: number
  /** The gate kept them. */
  kept: number
  /** Too few copies at other librarians are known: nobody was asked. */
  lacking: number
  /** Their policy says that they stay. */
  protected: number
  /** Where the next run goes on; undefined: everything was looked at. */
  after: number | undefined
  /** Why the first of those that were kept was kept. */
  whyKept: string | undefined
  /** Nothing more goes from this store until a person has looked: the brake is on, or the store is not there. */
  stoppedBy: string | undefined
}

export interface BulkDeletions {
  run(request: BulkDeletionRequest): Promise<BulkDeletionReport>
}

export interface BulkDeletionsOptions {
  readonly catalogue: Pick<Catalogue, 'deletions'>
  readonly gate: Pick<DeletionGate, 'remove' | 'plan'>
  readonly log: Log
  /** Copies at once. Default 4: each is read in full at several places. */
  readonly atOnce?: number
}

const PAGE = 100

export function createBulkDeletions({ catalogue, gate, log, atOnce = 4 }: BulkDeletionsOptions): BulkDeletions {
  async function run(request: BulkDeletionRequest): Promise<BulkDeletionReport> {
    const report: BulkDeletionReport = {
      deleted: 0,
      kept: 0,
      lacking: 0,
      protected: 0,
      after: request.after,
      whyKept: undefined,
      stoppedBy: undefined,
    }
    const mustEnd = () => request.signal.aborted || report.stoppedBy !== undefined || request.isOverdue()
    for (;;) {
      const { storeId, olderThanSeconds, copiedTo } = request
      const search = { storeId, olderThanSeconds, copiedTo, after: report.after ?? 0, limit: PAGE }
      const page = await catalogue.deletions.candidates(search)
      const limit = createLimit(atOnce)
      await Promise.all(
        page.map(candidate =>
          limit(async () => {
            if (mustEnd()) return
            await judge(candidate, request, report)
            report.after = Math.max(report.after ?? 0, candidate.id)
          }),
        ),
      )
      request.progress({ ...report })
      if (mustEnd()) return report
      if (page.length < PAGE) return { ...report, after: undefined }
    }
  }

  async function judge(
    candidate: DeletionCandidate,
    request: BulkDeletionRequest,
    report: BulkDeletionReport,
  ): Promise<void> {
    if (request.respectsPolicy && candidate.deletionPolicy === 'DISALLOWED') report.protected += 1
    else if (candidate.remotes < request.remoteCopies) report.lacking += 1
    else if (request.isDryRun) await plan(candidate, request, report)
    else await remove(candidate, request, report)
  }

  async function plan({ id, fileName }: DeletionCandidate, request: BulkDeletionRequest, report: BulkDeletionReport) {
    const { whyNot } = await gate.plan({ instanceId: id, remoteCopies: request.remoteCopies })
    if (whyNot === undefined) report.deleted += 1
    else keep(whyNot, report)
    log.info({ file: fileName, copy: id, whyNot }, whyNot === undefined ? 'this copy would go' : 'this copy would stay')
  }

  async function remove({ id, fileName }: DeletionCandidate, request: BulkDeletionRequest, report: BulkDeletionReport) {
    const { actor, reason, remoteCopies } = request
    try {
      await gate.remove({ instanceId: id, actor, reason, remoteCopies })
      report.deleted += 1
    } catch (error) {
      // Somebody else was faster.
      if (error instanceof LibrarianError && error.code === 'NotFound') return
      const why = error instanceof Error ? error.message : String(error)
      keep(why, report)
      const mayGoOn = error instanceof LibrarianError && (error.code === 'KeepsLastCopy' || error.code === 'Busy')
      if (!mayGoOn) report.stoppedBy ??= why
      log.info({ file: fileName, copy: id, why }, 'a copy was kept')
    }
  }

  function keep(why: string, report: BulkDeletionReport): void {
    report.kept += 1
    report.whyKept ??= why
  }

  return { run }
}
