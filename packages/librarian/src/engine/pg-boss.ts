/**
 * The engine by pg-boss, in a schema of its own in the catalogue's PostgreSQL; for any number of processes.
 *
 * A piece is a job whose `singletonKey` is its key. A queue of the policy `short` has one waiting job of a key at most, and a
 * group lets one of them run at a time; so a piece that is wanted while it runs has one job more, which waits. Processes are
 * told of what is to be done now (LISTEN), and look every few seconds for what has become due.
 *
 * pg-boss ends a run after 24 hours. Its signal aborts then, and the piece is delivered again: a run that takes longer goes on
 * from what it has kept.
 */
import { LibrarianError } from '@arriero/api'
import { type JobWithMetadata, type QueueOptions as Limits, PgBoss } from 'pg-boss'
import type { Log } from '../log.ts'
import {
  type Handler,
  HEARTBEAT_SECONDS,
  POISON_ATTEMPTS,
  type Poison,
  type QueueOptions,
  type TaskEngine,
  type WantOptions,
} from './engine.ts'

export interface PgBossEngineOptions {
  /** Of the database; with its password. */
  readonly url: string
  readonly log: Log
  readonly onPoison?: ((poison: Poison) => void) | undefined
}

interface Queue extends QueueOptions {
  readonly handler: Handler
}

const SCHEMA = 'arriero_tasks'
/** How often processes that died, and pieces that became due, are looked for. */
const LOOK_SECONDS = 3
/** A claim runs out so much sooner than is promised: what follows takes as long. */
const HEAD_START_SECONDS = 10
const CLOCK_MS = 60_000
/** The same error again is told so seldom. */
const TELL_MS = 60_000

/** Of every job. It is never given up: what fails is tried every hour. */
const limits: Limits = {
  retryLimit: 1_000_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 3600,
  expireInSeconds: 24 * 3600,
  retentionSeconds: 365 * 24 * 3600,
  deleteAfterSeconds: 3600,
}

export class PgBossEngine implements TaskEngine {
  readonly #o: PgBossEngineOptions
  readonly #queues = new Map<string, Queue>()
  readonly #made = new Map<string, Promise<void>>()
  #boss: Promise<PgBoss> | undefined

  constructor(options: PgBossEngineOptions) {
    this.#o = options
  }

  async handle(queue: string, handler: Handler, options: QueueOptions = {}): Promise<void> {
    this.#queues.set(queue, { ...options, handler })
    await this.#queue(queue)
  }

  async want(queue: string, key: string, { inMs = 0, priority = 0 }: WantOptions = {}): Promise<void> {
    const boss = await this.#queue(queue)
    const startAfter = inMs / 1000
    const isThere = () => bringForward(boss, { queue, key, inSeconds: startAfter, priority })
    if (await isThere()) return
    const group = { id: this.#queues.get(queue)?.atOnceEverywhere === undefined ? key : queue }
    const id = await boss.send(queue, { key }, { singletonKey: key, startAfter, priority, group })
    // Somebody else was faster, and may want it later than we.
    if (id === null) await isThere()
  }

  async work(signal: AbortSignal): Promise<void> {
    const boss = await this.#start()
    for (const [name, queue] of this.#queues) {
      const { atOnce = 1, atOnceEverywhere = atOnce } = queue
      for (let n = 0; n < Math.min(atOnce, atOnceEverywhere); n++) await this.#workOn(boss, name, queue, signal)
    }
    await this.#mendTimes(boss)
    const timer = setInterval(() => void this.#mendTimes(boss), CLOCK_MS)
    await aborted(signal)
    clearInterval(timer)
    await Promise.all([...this.#queues.keys()].map(name => boss.offWork(name)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const boss = await this.#boss?.catch(() => undefined)
    await boss?.stop({ graceful: false })
  }

  /** One after the other. */
  async #workOn(boss: PgBoss, name: string, queue: Queue, signal: AbortSignal): Promise<void> {
    const { handler, atOnceEverywhere } = queue
    let id: string | undefined
    id = await boss.work(
      name,
      {
        includeMetadata: true,
        groupConcurrency: atOnceEverywhere ?? 1,
        pollingIntervalSeconds: LOOK_SECONDS,
        notifyPollingIntervalSeconds: LOOK_SECONDS,
        heartbeatRefreshSeconds: heartbeatOf(queue) / 3,
      },
      async ([job]: JobWithMetadata<{ key: string }>[]) => {
        if (!job) return
        try {
          await this.#deliver(name, handler, job, signal)
        } finally {
          // It looks for the next one at once, else after the interval of its polls.
          if (id !== undefined) boss.notifyWorker(id)
        }
      },
    )
  }

  async #deliver(
    queue: string,
    handler: Handler,
    job: JobWithMetadata<{ key: string }>,
    stops: AbortSignal,
  ): Promise<void> {
    const { key } = job.data
    const signal = AbortSignal.any([stops, job.signal])
    try {
      const again = await handler(key, { signal })
      if (again) await this.want(queue, key, { inMs: again.againInMs })
    } catch (error) {
      // For whoever is there, at once: a failure would have to wait.
      if (stops.aborted) return await this.want(queue, key)
      const reason = error instanceof Error ? error.message : String(error)
      if (!signal.aborted) this.#tell({ queue, key, attempts: job.retryCount + 1, reason }, error)
      // As little as possible of what went wrong goes into the table of jobs (reliability F1).
      throw new Error('failed; the log says why')
    }
  }

  #tell(poison: Poison, error: unknown): void {
    const { log, onPoison } = this.#o
    const { queue, key, attempts } = poison
    log.error({ err: error, queue, key, attempts }, 'A piece of work failed; it is tried again')
    if (attempts === POISON_ATTEMPTS) onPoison?.(poison)
  }

  #start(): Promise<PgBoss> {
    this.#boss ??= startBoss(this.#o).catch(error => {
      // Whoever asks next tries again.
      this.#boss = undefined
      throw refusal(error)
    })
    return this.#boss
  }

  /** Of a queue that is there then. */
  async #queue(name: string): Promise<PgBoss> {
    const boss = await this.#start()
    const made = this.#made.get(name) ?? makeQueue(boss, name, this.#queues.get(name))
    this.#made.set(name, made)
    try {
      await made
    } catch (error) {
      this.#made.delete(name)
      throw error
    }
    return boss
  }

  /** A clock that was put back would leave what is dated by the old time waiting for years (reliability E4). */
  async #mendTimes(boss: PgBoss): Promise<void> {
    try {
      await boss.getDb().executeSql(mendTimes)
    } catch (error) {
      this.#o.log.warn({ err: error }, 'The times of waiting work could not be looked at; the next try is in a minute')
    }
  }
}

async function startBoss({ url, log }: PgBossEngineOptions): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: url,
    schema: SCHEMA,
    application_name: 'arriero-tasks',
    max: 2,
    schedule: false,
    useListenNotify: true,
    superviseIntervalSeconds: LOOK_SECONDS,
    monitorIntervalSeconds: LOOK_SECONDS,
    maintenanceIntervalSeconds: 3600,
  })
  boss.on('error', tellSeldom(log))
  boss.on('warning', ({ message }) => log.debug({ warning: message }, 'The task engine warns'))
  await boss.start()
  return boss
}

/** A database that is away is met by each look of each queue. */
function tellSeldom(log: Log): (error: Error) => void {
  let toldAt = -Infinity
  return error => {
    const isNews = performance.now() - toldAt > TELL_MS
    if (isNews) toldAt = performance.now()
    log[isNews ? 'warn' : 'debug']({ err: error }, 'The task engine met an error; it goes on')
  }
}

const mayNot = '42501'

function refusal(error: unknown): unknown {
  if ((error as { code?: string }).code !== mayNot) return error
  return new LibrarianError('Configuration', `Cannot make the schema ${SCHEMA} for the task engine: the user may not`, {
    remedy: 'Let the user of the catalogue do it once: GRANT CREATE ON DATABASE … TO …',
    cause: error,
  })
}

async function makeQueue(boss: PgBoss, name: string, queue: QueueOptions = {}): Promise<void> {
  const options = { ...limits, heartbeatSeconds: heartbeatOf(queue), notify: true }
  await boss.createQueue(name, { ...options, policy: 'short' })
  await boss.updateQueue(name, options)
}

/** pg-boss takes whole seconds, 10 at least. */
function heartbeatOf({ heartbeatSeconds = HEARTBEAT_SECONDS }: QueueOptions): number {
  return Math.max(10, Math.floor(heartbeatSeconds - HEAD_START_SECONDS))
}

/** Whether there was one that waits. pg-boss itself would also put it off. */
async function bringForward(
  boss: PgBoss,
  { queue, key, inSeconds, priority }: { queue: string; key: string; inSeconds: number; priority: number },
): Promise<boolean> {
  const { rows } = await boss.getDb().executeSql(forward, [queue, key, inSeconds, priority])
  return rows.length > 0
}

/** Tells others of it, in the words of pg-boss. */
const forward = `
  WITH moved AS (
    UPDATE ${SCHEMA}.job SET
      start_after = LEAST(start_after, ${SCHEMA}.job_now() + make_interval(secs => $3::float8)),
      priority = GREATEST(priority, $4::integer)
    WHERE name = $1 AND singleton_key = $2 AND state < 'active'
    RETURNING start_after
  )
  SELECT CASE WHEN start_after <= ${SCHEMA}.job_now()
    THEN pg_notify('pgboss_' || left(encode(sha224('${SCHEMA}'::bytea), 'hex'), 24), $1)
  END FROM moved`

const mendTimes = `
  UPDATE ${SCHEMA}.job SET
    created_on = ${SCHEMA}.job_now(),
    start_after = LEAST(start_after, ${SCHEMA}.job_now()),
    started_on = LEAST(started_on, ${SCHEMA}.job_now()),
    heartbeat_on = LEAST(heartbeat_on, ${SCHEMA}.job_now())
  WHERE state <= 'active' AND GREATEST(created_on, started_on, heartbeat_on) > ${SCHEMA}.job_now() + interval '1 minute'`

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
