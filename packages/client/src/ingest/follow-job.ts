import { setTimeout as sleep } from 'node:timers/promises'
import type { AnswerOf, endpoints } from '@arriero/api'
import type { Librarian } from '../librarian.ts'

/** A job as the librarian tells it. */
export type IngestJob = AnswerOf<typeof endpoints.ingest.create>
/** A file of a job, and what became of it. */
export type IngestItem = AnswerOf<typeof endpoints.ingest.status>['items'][number]

/** Options of `followJob()`. */
export interface FollowJobOptions {
  readonly signal: AbortSignal
  /** Between two looks, ms. Default 1000. */
  readonly everyMs?: number | undefined
}

/** The job, again and again, until it is over; the last one is how it ended. */
export async function* followJob(
  librarian: Librarian,
  jobId: string,
  { signal, everyMs = 1000 }: FollowJobOptions,
): AsyncGenerator<IngestJob, void, undefined> {
  for (;;) {
    const request = { job_id: jobId, item_statuses: [] }
    const { job } = await librarian.api.ingest.status(request, { signal })
    yield job
    if (job.status !== 'queued' && job.status !== 'running') return
    await sleep(everyMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

/** Items of a job in these states, page by page. */
export async function* jobItems(
  librarian: Librarian,
  jobId: string,
  statuses: readonly IngestItem['status'][],
  signal: AbortSignal,
): AsyncGenerator<IngestItem, void, undefined> {
  for (let after: number | undefined; ; ) {
    const request = { job_id: jobId, item_statuses: [...statuses], after, max_results: 500 }
    const page = await librarian.api.ingest.status(request, { signal })
    yield* page.items
    if (page.next === null) return
    after = page.next
  }
}
