/** The catalogue's operations and some that only tests want: SQL as it comes, and operations that fail in every way. */
import { LibrarianError } from '@arriero/api/errors'
import { ExplainNode, sql } from 'kysely'
import type { Catalogue, MethodsOf } from '../src/catalogue/catalogue.ts'
import { type Database, read, write } from '../src/catalogue/operation.ts'
import { operations as own } from '../src/catalogue/operations/index.ts'
import { requireLease } from '../src/catalogue/operations/leases.ts'
import type { DuePage } from '../src/catalogue/operations/scrubbing.ts'

type Row = Record<string, string | number | boolean | null>

const rowsOf = async (database: Database, text: string) => (await sql.raw<Row>(text).execute(database.sql)).rows

let runs = 0

/** What follows `EXPLAIN` where a plan is wanted. */
const ofPlans = { sqlite: sql`QUERY PLAN`.toOperationNode(), postgres: undefined } as const

const trial = {
  write: write<string, Row[]>(rowsOf),
  read: read<string, Row[]>(rowsOf),

  /** Writes, then refuses. */
  refuse: write<string, never>(async (database, text) => {
    await rowsOf(database, text)
    throw new LibrarianError('NameTaken', 'Cannot do this: it is a trial', {
      remedy: 'None.',
      fields: { name: 'a', count: 2 },
      retryAfterSeconds: 7,
    })
  }),

  /** Rows, then the statement that is on trial; whatever comes of it, nothing stays. */
  attempt: write<{ rows: readonly string[]; statement: string }, never>(async (database, { rows, statement }) => {
    try {
      for (const row of rows) await rowsOf(database, row)
    } catch (error) {
      throw new LibrarianError('BadRequest', 'the trial could not begin', { cause: error })
    }
    await rowsOf(database, statement)
    throw new LibrarianError('BadRequest', 'it was done')
  }),

  /** Writes, then breaks. */
  crash: write<string, never>(async (database, text) => {
    await rowsOf(database, text)
    throw new TypeError('a fault of ours')
  }),

  /** Writes, then hides a statement that failed. */
  hide: write<string, string>(async (database, text) => {
    await rowsOf(database, text)
    await rowsOf(database, 'SELECT * FROM nowhere').catch(() => [])
    return 'done'
  }),

  /** Reads a number, then writes one more: two at once must not see the same. */
  countUp: write<string, number>(async ({ sql: db }, key) => {
    const row = await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst()
    const value = Number(row?.value ?? 0) + 1
    await db
      .insertInto('setting')
      .values({ key, value: String(value) })
      .onConflict(conflict => conflict.column('key').doUpdateSet({ value: String(value) }))
      .execute()
    return value
  }),

  /** How often it was run in this thread, and what it had written before. */
  countRuns: write<string, number>(async ({ sql: db }, key) => {
    runs++
    await db.updateTable('setting').set({ value: 'x' }).where('key', '=', key).execute()
    return runs
  }),

  /** Cannot be cloned, so it cannot be an answer. */
  uncloneable: read<undefined, unknown>(async () => ({ f: () => 1 })),

  /** Ends the thread that runs it, where there is one. */
  exit: write<undefined, void>(async () => process.exit(3)),

  /** How the database finds each page of a scrub: the statements are explained instead of run. */
  scrubPlans: read<DuePage, string[]>((database, page) =>
    plansOf(database, explained => own.scrubbing.due.run(explained, page)),
  ),

  /** The same of what is counted for those who watch. */
  figurePlans: read<undefined, string[]>(async database => {
    const row = { n: 1, store_id: 1, now: '2026-01-01T00:00:00.000000Z' }
    const { copies, transfers, standing } = own.figures
    return await plansOf(
      database,
      explained => Promise.all([copies, transfers, standing].map(o => o.run(explained, undefined))),
      [row],
    )
  }),

  /** The same of what open dashboards have asked for again and again. */
  overviewPlans: read<undefined, string[]>(async database => {
    const row = { n: 1, count: 1, now: '2026-01-01T00:00:00.000000Z' }
    const week = { from: row.now, to: '9999' }
    const run = async (explained: Database) => {
      await own.overview.pulse.run(explained, undefined)
      await own.overview.notOk.run(explained, undefined)
      await own.overview.holdings.run(explained, undefined)
      await own.traffic.hours.run(explained, week)
      await own.traffic.open.run(explained, undefined)
      for (const direction of ['in', 'out'] as const) {
        await own.transferPages.list.run(explained, { direction, other: 'far', limit: 50 })
        await own.transferPages.counts.run(explained, { direction, other: 'far' })
      }
    }
    return await plansOf(database, run, [row])
  }),

  underLease: write<{ resource: string; token: number }, string>(async (database, lease) => {
    await requireLease(database, lease)
    return 'done'
  }),

  now: read<undefined, string>(async ({ sql: db, dialect }) => {
    const { now } = await db.selectNoFrom(dialect.now().as('now')).executeTakeFirstOrThrow()
    return now
  }),
}

/** @param rows what the statements seem to find */
async function plansOf(
  database: Database,
  run: (explained: Database) => Promise<unknown>,
  rows: Row[] = [],
): Promise<string[]> {
  const plans: string[] = []
  const explained = database.sql.withPlugin({
    transformQuery: ({ node }) =>
      node.kind === 'RawNode'
        ? { ...node, sqlFragments: [`EXPLAIN QUERY PLAN ${node.sqlFragments[0]}`, ...node.sqlFragments.slice(1)] }
        : { ...node, explain: ExplainNode.create(undefined, ofPlans[database.dialect.name]) },
    async transformResult({ result }) {
      plans.push(JSON.stringify(result.rows))
      return { ...result, rows }
    },
  })
  await run({ ...database, sql: explained })
  return plans
}

export const operations = { ...own, trial }

export type TrialCatalogue = Catalogue & MethodsOf<{ trial: typeof trial }>

export const trialOperations = { registry: operations, url: import.meta.url }
