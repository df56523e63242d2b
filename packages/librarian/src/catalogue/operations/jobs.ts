/**
 * Jobs and their items. Whoever works on a job holds its lease; every write names the lease's token, so that one who lost it
 * changes nothing (reliability E2, 8.13).
 */
import { LibrarianError } from '@arriero/api/errors'
import type { Insertable, Selectable } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import type { JobItemTable, JobTable } from '../schema.ts'

export type Job = Selectable<JobTable>
export type JobItem = Selectable<JobItemTable>
export type NewItem = Pick<Insertable<JobItemTable>, 'position' | 'name' | 'entry'> & {
  /** Why it cannot even be begun. */
  readonly reason: string | null
}

/** Who works on a job. */
export interface JobHold {
  readonly jobId: string
  readonly holder: string
  readonly token: number
}

export const jobLease = (jobId: string) => `job:${jobId}`

export const jobs = {
  create: write<{ job: Pick<Job, 'id' | 'kind' | 'owner' | 'request'>; items: readonly NewItem[] }, Job>(
    async ({ sql, dialect }, { job, items }) => {
      const created = await sql
        .insertInto('job')
        .values({ ...job, status: 'queued', created: dialect.now(), total: 0, done: 0, failed: 0, bytes: 0 })
        .returningAll()
        .executeTakeFirstOrThrow()
      await insertItems(sql, job.id, items)
      return counted(sql, created)
    },
  ),

  get: read<{ id: string }, Job | undefined>(async ({ sql }, { id }) => {
    const job = await sql.selectFrom('job').selectAll().where('id', '=', id).executeTakeFirst()
    return job && counted(sql, job)
  }),

  /** Newest first. */
  list: read<
    {
      kind: string
      owner?: string | undefined
      statuses?: readonly Job['status'][] | undefined
      from?: string | undefined
      to?: string | undefined
      /** The last of the page before. */
      after?: string | undefined
      limit: number
    },
    Job[]
  >(async ({ sql }, { kind, owner, statuses, from, to, after, limit }) => {
    let query = sql.selectFrom('job').selectAll().where('kind', '=', kind)
    if (owner !== undefined) query = query.where('owner', '=', owner)
    if (statuses !== undefined) query = query.where('status', 'in', statuses)
    if (from !== undefined) query = query.where('created', '>=', from)
    if (to !== undefined) query = query.where('created', '<=', to)
    const last = after && (await sql.selectFrom('job').select('created').where('id', '=', after).executeTakeFirst())
    if (after && last) {
      query = query.where(eb =>
        eb.or([eb('created', '<', last.created), eb.and([eb('created', '=', last.created), eb('id', '<', after)])]),
      )
    }
    const jobs = await query.orderBy('created', 'desc').orderBy('id', 'desc').limit(limit).execute()
    return Promise.all(jobs.map(job => counted(sql, job)))
  }),

  items: read<{ jobId: string; statuses: readonly JobItem['status'][]; after?: number; limit: number }, JobItem[]>(
    async ({ sql }, { jobId, statuses, after = -1, limit }) =>
      statuses.length === 0
        ? []
        : await sql
            .selectFrom('job_item')
            .selectAll()
            .where('job_id', '=', jobId)
            .where('status', 'in', statuses)
            .where('position', '>', after)
            .orderBy('position')
            .limit(limit)
            .execute(),
  ),

  /** Jobs that are to be worked on, the oldest first. Whether somebody does is the lease's to say. */
  open: read<{ kind: string; limit: number }, Job[]>(
    async ({ sql }, { kind, limit }) =>
      await sql
        .selectFrom('job')
        .selectAll()
        .where('kind', '=', kind)
        .where('status', 'in', ['queued', 'running'])
        .orderBy('created')
        .limit(limit)
        .execute(),
  ),

  /** False: it has ended. */
  start: write<{ hold: JobHold }, boolean>(async ({ sql, dialect }, { hold }) => {
    await assertHeld(sql, hold)
    const { numUpdatedRows } = await sql
      .updateTable('job')
      .set(eb => ({ status: 'running', started: eb.fn.coalesce('started', dialect.now()) }))
      .where('id', '=', hold.jobId)
      .where('status', 'in', ['queued', 'running'])
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }),

  /** Items of a list that is read while the job runs; those that are there already stay as they are. */
  addItems: write<{ hold: JobHold; items: readonly NewItem[] }, void>(async ({ sql }, { hold, items }) => {
    await assertHeld(sql, hold)
    await insertItems(sql, hold.jobId, items)
  }),

  /** What is known of an item's work, so that whoever goes on with it can. */
  noteItem: write<{ hold: JobHold; id: number; entry: string; attempts: number }, void>(
    async ({ sql }, { hold, id, entry, attempts }) => {
      await assertHeld(sql, hold)
      await sql.updateTable('job_item').set({ entry, attempts }).where('id', '=', id).execute()
    },
  ),

  endItem: write<
    {
      hold: JobHold
      id: number
      status: Exclude<JobItem['status'], 'pending'>
      reason: string | null
      bytes: number
    },
    void
  >(async ({ sql }, { hold, id, status, reason, bytes }) => {
    await assertHeld(sql, hold)
    const { numUpdatedRows } = await sql
      .updateTable('job_item')
      .set({ status, reason })
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) return
    await sql
      .updateTable('job')
      .set(eb => ({ bytes: eb('bytes', '+', bytes) }))
      .where('id', '=', hold.jobId)
      .execute()
  }),

  /** What the job itself remembers: JSON. */
  setRequest: write<{ hold: JobHold; request: string }, void>(async ({ sql }, { hold, request }) => {
    await assertHeld(sql, hold)
    await sql.updateTable('job').set({ request }).where('id', '=', hold.jobId).execute()
  }),

  finish: write<{ hold: JobHold; status: 'done' | 'failed'; reason: string | null }, void>(
    async ({ sql, dialect }, { hold, status, reason }) => {
      await assertHeld(sql, hold)
      await sql
        .updateTable('job')
        .set({ status, reason, ended: dialect.now() })
        .where('id', '=', hold.jobId)
        .where('status', '=', 'running')
        .execute()
    },
  ),

  /** Whoever works on it hears of it by its next write, or sooner. Of a job that has ended, nothing. */
  cancel: write<{ id: string; reason: string }, boolean>(async ({ sql, dialect }, { id, reason }) => {
    const { numUpdatedRows } = await sql
      .updateTable('job')
      .set({ status: 'cancelled', reason, ended: dialect.now() })
      .where('id', '=', id)
      .where('status', 'in', ['queued', 'running'])
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }),
}

type Sql = Database['sql']

/** Items per statement: databases bound the number of values. */
const ROWS = 1000

async function insertItems(sql: Sql, jobId: string, items: readonly NewItem[]): Promise<void> {
  for (let at = 0; at < items.length; at += ROWS) {
    await sql
      .insertInto('job_item')
      .values(
        items.slice(at, at + ROWS).map(({ position, name, entry, reason }) => ({
          job_id: jobId,
          position,
          name,
          entry,
          reason,
          attempts: 0,
          status: reason === null ? ('pending' as const) : ('failed' as const),
        })),
      )
      .onConflict(conflict => conflict.columns(['job_id', 'position']).doNothing())
      .execute()
  }
}

/** Counted, not kept: a counter could be wrong. */
async function counted(sql: Sql, job: Job): Promise<Job> {
  const rows = await sql
    .selectFrom('job_item')
    .select(['status', eb => eb.fn.countAll<number>().as('count')])
    .where('job_id', '=', job.id)
    .groupBy('status')
    .execute()
  const of = (...statuses: JobItem['status'][]) =>
    rows.filter(({ status }) => statuses.includes(status)).reduce((sum, { count }) => sum + Number(count), 0)
  return { ...job, total: of('pending', 'done', 'exists', 'failed'), done: of('done', 'exists'), failed: of('failed') }
}

async function assertHeld(sql: Sql, { jobId, holder, token }: JobHold): Promise<void> {
  const lease = await sql
    .selectFrom('lease')
    .select('token')
    .where('resource', '=', jobLease(jobId))
    .where('holder', '=', holder)
    .where('token', '=', token)
    .executeTakeFirst()
  const job = lease && (await sql.selectFrom('job').select('status').where('id', '=', jobId).executeTakeFirst())
  if (job && job.status !== 'cancelled') return
  throw new LibrarianError('Conflict', `Cannot go on with job ${jobId}: it is somebody else's now, or cancelled`)
}
