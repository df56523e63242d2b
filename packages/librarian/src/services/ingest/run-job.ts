/**
 * Runs an ingest job:
 *
 *   hold      the lease, or leave it to who has it
 *   list      items of a manifest become rows, once
 *   items     several at once; each is announced, fetched, committed, then its row ends
 *   again     what may go better later, a few times, after a pause
 *   finish    when no item is pending: `done` where all are kept, else `failed` with how many are not
 *
 * Killed anywhere, another run goes on: rows that ended are not looked at again, an announced transfer is gone on with from
 * what the engine's journal proves.
 */
import { LibrarianError } from '@arriero/api'
import { type Engine, type FetchOptions, iterate, type ManifestOptions, TransferError } from '@arriero/transfer'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { type Job, type JobHold, type JobItem, jobLease } from '../../catalogue/operations/jobs.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import { type FetchItemOptions, fetchItem } from './fetch-item.ts'
import { type HoldOptions, holdJob } from './hold.ts'
import { type IngestOptions, ingestKind, uriProblem } from './ingest.ts'
import type { JobRunner } from './job-runner.ts'
import { listItems } from './list-items.ts'
import { type IngestRequest, readEntry, readRequest, writeEntry, writeRequest } from './rows.ts'

export interface RunJobOptions
  extends Omit<FetchItemOptions, 'catalogue' | 'now' | 'engine'>,
    Pick<HoldOptions, 'seconds'> {
  readonly catalogue: Pick<Catalogue, 'jobs' | 'leases' | 'uploads' | 'byteUploads' | 'serving'>
  /** One for each name of credentials: what an engine learnt with some must not serve who has none. */
  readonly engine: (credentials: string | undefined) => Engine
  readonly clock: Clock
  readonly log: Log
  readonly holder: string
  readonly schemes: readonly string[]
  readonly credentials: IngestOptions['credentials']
  /** How sources are asked, by the name of credentials; undefined: none were named. */
  readonly sourceOptions: (credentials: string | undefined) => Promise<Partial<FetchOptions>>
  /** Items at once. Default 8. */
  readonly concurrency?: number | undefined
  /** Attempts of one item, if it may go better later. Default 3. */
  readonly attempts?: number | undefined
  /** Pause before the next attempt, ms; grows. Default 30,000. */
  readonly retryMs?: number | undefined
}

export function createIngestRunner(options: RunJobOptions): JobRunner {
  const { catalogue } = options
  return {
    async open() {
      const ids = (await catalogue.jobs.open({ kind: ingestKind, limit: 100 })).map(({ id }) => id)
      const held = new Set(await catalogue.leases.live({ resources: ids.map(jobLease) }))
      return ids.filter(id => !held.has(jobLease(id)))
    },
    async run(jobId, { signal }) {
      await using held = await holdJob(jobId, options)
      if (!held) return 'taken'
      const both = AbortSignal.any([signal, held.lost])
      return new Run(held.hold, both, options).run()
    },
  }
}

/** Items asked for at once. */
const PAGE = 500

class Run {
  readonly #hold: JobHold
  readonly #signal: AbortSignal
  readonly #o: RunJobOptions

  constructor(hold: JobHold, signal: AbortSignal, options: RunJobOptions) {
    this.#hold = hold
    this.#signal = signal
    this.#o = options
  }

  async run(): Promise<'ended' | 'stopped'> {
    const { catalogue, log } = this.#o
    try {
      if (!(await catalogue.jobs.start({ hold: this.#hold }))) return 'ended'
      await this.#work()
      return 'ended'
    } catch (error) {
      const isEnded = await this.#isCancelled()
      if (isEnded) return 'ended'
      if (this.#signal.aborted || (error instanceof LibrarianError && error.code === 'Conflict')) return 'stopped'
      if (error instanceof TransferError) return this.#fail(error.message)
      log.error({ err: error, job: this.#hold.jobId }, 'An ingest job stopped; it is tried again')
      return 'stopped'
    }
  }

  async #work(): Promise<void> {
    const { catalogue } = this.#o
    const job = (await catalogue.jobs.get({ id: this.#hold.jobId })) as Job
    const request = await this.#listed(readRequest(job.request))
    const source = await this.#o.sourceOptions(request.credentials)
    const { attempts = 3, retryMs = 30_000, clock } = this.#o
    for (let round = 1; round <= attempts; round++) {
      const left = await this.#round({ job, request, source, isLast: round === attempts })
      if (left === 0) break
      await clock.sleep(retryMs * round, this.#signal)
    }
    const ended = (await catalogue.jobs.get({ id: this.#hold.jobId })) as Job
    await catalogue.jobs.finish({ hold: this.#hold, ...endOf(ended) })
  }

  /** Reads the manifest, if that was not done before. */
  async #listed(request: IngestRequest): Promise<IngestRequest> {
    if (request.isListed || request.manifestUri === undefined) return request
    const { catalogue } = this.#o
    const engine = this.#o.engine(request.credentials)
    const { manifestUri: uri, manifestForm: form, ...rest } = request
    const source = await this.#o.sourceOptions(request.credentials)
    const input = iterate(uri, { ...source, engine, signal: this.#signal })
    // A form that nobody knows is refused by the parser, as part of the list.
    const manifest = { name: new URL(uri).pathname, ...(form === undefined ? {} : { form }) } as ManifestOptions
    const options = { ...rest, manifest, uriProblem: (one: string) => uriProblem(one, request.credentials, this.#o) }
    for await (const items of listItems(input, options)) {
      await catalogue.jobs.addItems({ hold: this.#hold, items })
    }
    const listed = { ...request, isListed: true }
    await catalogue.jobs.setRequest({ hold: this.#hold, request: writeRequest(listed) })
    return listed
  }

  /** Every pending item once. Resolves to how many are left for another round. */
  async #round(round: RoundOptions): Promise<number> {
    let left = 0
    const running = new Set<Promise<void>>()
    const work = async (item: JobItem) => {
      if (!(await this.#item(item, round))) left++
    }
    const failures: unknown[] = []
    for await (const item of this.#pending()) {
      if (failures.length > 0) break
      const one = work(item)
        .catch(error => {
          failures.push(error)
        })
        .finally(() => running.delete(one))
      running.add(one)
      if (running.size >= (this.#o.concurrency ?? 8)) await Promise.race(running)
    }
    await Promise.all(running)
    if (failures.length > 0) throw failures[0]
    return left
  }

  async *#pending(): AsyncGenerator<JobItem> {
    let after = -1
    for (;;) {
      const page = await this.#o.catalogue.jobs.items({
        jobId: this.#hold.jobId,
        statuses: ['pending'],
        after,
        limit: PAGE,
      })
      yield* page
      if (page.length < PAGE) return
      after = (page.at(-1) as JobItem).position
    }
  }

  /** False: to be tried again. */
  async #item(item: JobItem, { job, request, source, isLast }: RoundOptions): Promise<boolean> {
    const { catalogue, clock } = this.#o
    this.#signal.throwIfAborted()
    const attempts = item.attempts + 1
    const note = (entry: string) => catalogue.jobs.noteItem({ hold: this.#hold, id: item.id, entry, attempts })
    await note(item.entry)
    const outcome = await fetchItem(
      {
        item,
        request,
        owner: job.owner,
        source,
        signal: this.#signal,
        note: entry => note(writeEntry(entry)),
      },
      { ...this.#o, engine: this.#o.engine(request.credentials), now: () => clock.wallNow() },
    )
    if (outcome.status === 'failed' && outcome.isRetriable && !isLast) return false
    const { status } = outcome
    const ended = status === 'failed' ? { status, reason: outcome.reason, bytes: 0 } : { ...outcome, reason: null }
    if (status === 'failed') await this.#giveUp(item, job)
    await catalogue.jobs.endItem({ hold: this.#hold, id: item.id, ...ended })
    return true
  }

  /** Room and bytes of what will not be tried again are free. */
  async #giveUp(item: JobItem, job: Job): Promise<void> {
    const items = await this.#o.catalogue.jobs.items({
      jobId: job.id,
      statuses: ['pending'],
      after: item.position - 1,
      limit: 1,
    })
    const { transferId } = readEntry(items[0]?.entry ?? item.entry)
    if (transferId === undefined) return
    await this.#o.uploads.abort(transferId, { name: job.owner, level: 'READAPPEND' }).catch(error => {
      this.#o.log.debug({ err: error, transfer: transferId }, 'A transfer that failed had ended')
    })
  }

  async #fail(reason: string): Promise<'ended'> {
    await this.#o.catalogue.jobs.finish({ hold: this.#hold, status: 'failed', reason })
    return 'ended'
  }

  /** Then what it had begun is given up. */
  async #isCancelled(): Promise<boolean> {
    const job = await this.#o.catalogue.jobs.get({ id: this.#hold.jobId })
    if (job?.status !== 'cancelled') return false
    await this.#tidy(job)
    return true
  }

  async #tidy(job: Job): Promise<void> {
    for await (const item of this.#pending()) await this.#giveUp(item, job)
  }
}

/** Whoever looks at the state alone must not take a list for kept of which a row is missing. */
export function endOf({ total, done, failed }: Pick<Job, 'total' | 'done' | 'failed'>) {
  if (total === 0) return { status: 'failed', reason: 'The list has no entries' } as const
  if (failed === 0) return { status: 'done', reason: null } as const
  const kept = done === 0 ? 'none is kept' : `the other ${done} ${done === 1 ? 'is' : 'are'} kept`
  return { status: 'failed', reason: `${failed} of ${total} entries could not be kept; ${kept}` } as const
}

interface RoundOptions {
  readonly job: Job
  readonly request: IngestRequest
  readonly source: Partial<FetchOptions>
  readonly isLast: boolean
}
