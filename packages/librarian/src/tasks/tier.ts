/**
 * Moves old copies to another store (reliability B7): copied, read back, and then deleted from the first through the gate, which
 * demands what it always does. Killed in between, the next run goes on: a copy that is on both stores is only to be deleted.
 */
import { z } from 'zod'
import type { BulkDeletions } from '../services/deletion/bulk-deletions.ts'
import type { LocalClones } from '../services/local-clones/local-clones.ts'
import type { Stores } from '../stores/stores.ts'
import { daySeconds, off } from './pages.ts'
import { type TaskKind, task } from './task.ts'

export interface TierTaskOptions {
  readonly clones: LocalClones
  readonly deletions: BulkDeletions
  readonly stores: Pick<Stores, 'byName'>
}

/** Numbers of the copies behind which copying and deleting go on. */
const cursor = z.object({ copied: z.int().nonnegative(), deleted: z.int().nonnegative() })
const start = { copied: 0, deleted: 0 }

export function createTierTask({ clones, deletions, stores }: TierTaskOptions): TaskKind {
  return task<'tier'>({
    key: 'tier',
    async run({ from_store, to_store, age_in_days, files_per_run }, context) {
      const [from, to] = [stores.byName(from_store), stores.byName(to_store)]
      if (!from || !to) return off([from_store, to_store], stores)
      const kept = cursor.safeParse(context.cursor)
      const at = kept.success ? kept.data : start
      const olderThanSeconds = age_in_days * daySeconds
      const { signal, isOverdue } = context
      const counts = { copied: 0, failed: 0, bytes: 0, deleted: 0, kept: 0 }
      const copied = await clones.run({
        from,
        to: [to],
        ages: { olderThanSeconds },
        most: files_per_run,
        disablesFull: false,
        after: at.copied,
        signal,
        isOverdue,
        progress: ({ made, failed, bytes }) => context.progress({ ...counts, copied: made, failed, bytes }),
      })
      Object.assign(counts, { copied: copied.made, failed: copied.failed, bytes: copied.bytes })
      const deleted = await deletions.run({
        storeId: from.id,
        olderThanSeconds,
        copiedTo: to.id,
        remoteCopies: 0,
        // The copy moves with its policy: there is one as there was before.
        respectsPolicy: false,
        isDryRun: false,
        actor: 'task:tier',
        reason: `tier: moved to ${to_store}, older than ${age_in_days} d`,
        after: at.deleted,
        signal,
        isOverdue,
        progress: report => context.progress({ ...counts, deleted: report.deleted, kept: report.kept }),
      })
      Object.assign(counts, { deleted: deleted.deleted, kept: deleted.kept })
      const isDone = copied.after === undefined && deleted.after === undefined
      const needsPerson = copied.isFull || deleted.stoppedBy !== undefined
      context.keep(isDone || needsPerson ? undefined : { copied: copied.after ?? 0, deleted: deleted.after ?? 0 })
      return { outcome: needsPerson ? 'failed' : isDone ? 'done' : 'partial', note: noteOf(counts, deleted), counts }
    },
  })
}

function noteOf(
  { copied, failed, deleted, kept }: { copied: number; failed: number; deleted: number; kept: number },
  { whyKept, stoppedBy }: { whyKept: string | undefined; stoppedBy: string | undefined },
): string {
  const counts = `${copied} copied, ${failed} failed, ${deleted} deleted from where they were, ${kept} kept there`
  const why = stoppedBy ?? whyKept
  return why === undefined ? counts : `${counts}; the first: ${why}`
}
