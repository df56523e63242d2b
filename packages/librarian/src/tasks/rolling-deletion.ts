/**
 * Deletes old copies from a store when enough others are proven (librarian 12.10). All through the gate: how many are there in
 * all is its to demand, `verify_downstream_checksums` cannot be switched off, and the row of a copy that is gone is the trash's,
 * whatever `mark_unavailable` says (decision 0034).
 */
import type { BulkDeletionReport, BulkDeletions } from '../services/deletion/bulk-deletions.ts'
import type { Stores } from '../stores/stores.ts'
import { cursorAfter, daySeconds, off, outcomeOf } from './pages.ts'
import { type TaskCounts, type TaskKind, task } from './task.ts'

export interface RollingDeletionTaskOptions {
  readonly deletions: BulkDeletions
  readonly stores: Pick<Stores, 'byName'>
}

export function createRollingDeletionTask({ deletions, stores }: RollingDeletionTaskOptions): TaskKind {
  return task<'rolling_deletion'>({
    key: 'rolling_deletion',
    async run(settings, context) {
      const { store_name, age_in_days, number_of_remote_copies, force_deletion, dry_run } = settings
      const site = stores.byName(store_name)
      if (!site) return off([store_name], stores)
      const report = await deletions.run({
        storeId: site.id,
        olderThanSeconds: age_in_days * daySeconds,
        remoteCopies: number_of_remote_copies,
        respectsPolicy: !force_deletion,
        isDryRun: dry_run,
        actor: 'task:rolling_deletion',
        reason: `rolling deletion: older than ${age_in_days} d, ${number_of_remote_copies} copies at other librarians`,
        after: cursorAfter(context.cursor),
        signal: context.signal,
        isOverdue: context.isOverdue,
        progress: done => context.progress(countsOf(done)),
      })
      const { after, stoppedBy } = report
      context.keep(after === undefined || stoppedBy !== undefined ? undefined : { after })
      return {
        outcome: outcomeOf(stoppedBy !== undefined, after),
        note: noteOf(report, dry_run),
        counts: countsOf(report),
      }
    },
  })
}

function countsOf({ deleted, kept, lacking, protected: safe }: BulkDeletionReport): TaskCounts {
  return { deleted, kept, lacking, protected: safe }
}

function noteOf(
  { deleted, kept, lacking, protected: safe, whyKept, stoppedBy }: BulkDeletionReport,
  isDryRun: boolean,
) {
  const parts = [
    isDryRun ? `dry run: ${deleted} would go` : `${deleted} deleted`,
    `${kept} kept`,
    ...(lacking > 0 ? [`${lacking} with too few known copies at other librarians`] : []),
    ...(safe > 0 ? [`${safe} that must not be deleted`] : []),
  ]
  const why = stoppedBy ?? whyKept
  return why === undefined
    ? parts.join(', ')
    : `${parts.join(', ')}; ${stoppedBy === undefined ? 'the first' : 'stopped'}: ${why}`
}
