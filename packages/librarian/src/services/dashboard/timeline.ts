/** What a transfer's row, and that of its batch, tell of its way, in order. */
import type { Instant } from '@arriero/api'
import type { Batch, PagedTransfer } from '../../catalogue/operations/transfer-pages.ts'

export interface TimelineEvent {
  readonly time: Instant
  readonly what: string
  readonly detail: string
}

const ends: Partial<Record<PagedTransfer['status'], string>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
}

/** Oldest first; what is still to come, as the next attempt, last. */
export function timelineOf(transfer: PagedTransfer, batch: Batch | undefined): TimelineEvent[] {
  const { started, active, ended, status, reason, batchId } = transfer
  const events = [
    event(started, 'started'),
    event(batch?.created, 'queued', batch && `batch ${batch.id} of ${batch.files} files`),
    event(batch?.taken, 'moving', transfer.method ?? ''),
    event(batchId === null ? active : undefined, 'active'),
    event(batch?.completed, 'moved'),
    event(ended, ends[status] ?? 'ended', reason ?? ''),
  ]
  const past = events
    .filter(each => each !== undefined)
    .toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
  const next = ended === null ? event(batch?.nextTry, 'next-try', batch?.reason ?? '') : undefined
  return next ? [...past, next] : past
}

function event(time: Instant | null | undefined, what: string, detail = ''): TimelineEvent | undefined {
  return time == null ? undefined : { time, what, detail }
}
