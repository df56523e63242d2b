/** Figures for people who watch over a librarian: in a time that grows with what is wrong, not with what is kept. */
import type { Instant } from '@arriero/api'
import { sql } from 'kysely'
import { type Database, read } from '../operation.ts'
import type { CopyState } from '../schema.ts'
import { isOpen } from './outgoing-states.ts'

/** What changes with every transfer, every task, every alarm: so small that it can be asked for every other second. */
export interface Pulse {
  readonly incoming: number
  readonly outgoing: number
  /** Change whenever a transfer begins or ends, a task runs, an error is raised or cleared; nothing else can be told of them. */
  readonly transfers: string
  readonly tasks: string
  readonly errors: string
}

export type NotOk = Readonly<Partial<Record<CopyState, number>>>

export interface Holdings {
  /** Copies in use whose last reading was good. */
  readonly ok: number
  /** Of copies in use on stores that are switched on: the last reading that is the longest ago. */
  readonly oldestReading: Instant | null
  /** Copies that librarians are known to hold, by their numbers. */
  readonly remoteCopies: readonly { readonly librarianId: number; readonly copies: number }[]
}

/** A store's copies that were read the longest ago; of more, all taken out of use, nothing is told. */
const MOST_SKIPPED = 1000

export const overview = {
  pulse: read<undefined, Pulse>(async database => {
    const { sql: db } = database
    const [incoming, outgoing] = [
      await countOpen(database, 'incoming_transfer'),
      await countOpen(database, 'outgoing_transfer'),
    ]
    const ends = await Promise.all([lastEnd(database, 'incoming_transfer'), lastEnd(database, 'outgoing_transfer')])
    const tasks = await db
      .selectFrom('task')
      .select(['id', 'run', 'started', 'ended', 'next_run', 'counts'])
      .orderBy('id')
      .execute()
    const errors = await db
      .selectFrom('error')
      .select(({ fn }) => [fn.countAll().as('count'), fn.max('id').as('last')])
      .where('cleared', '=', 0)
      .executeTakeFirstOrThrow()
    return {
      incoming: incoming.count,
      outgoing: outgoing.count,
      transfers: JSON.stringify([incoming, outgoing, ends]),
      tasks: JSON.stringify(tasks),
      errors: JSON.stringify([Number(errors.count), errors.last]),
    }
  }),

  /** Copies in use, by what the last reading found, where that was not good. */
  notOk: read<undefined, NotOk>(database => countNotOk(database)),

  /** Reads some index from end to end: for every minute, not every second. */
  holdings: read<undefined, Holdings>(async database => {
    const { sql: db } = database
    const all = await db
      .selectFrom('instance')
      .select(({ fn }) => fn.countAll().as('count'))
      .executeTakeFirstOrThrow()
    const away = await db
      .selectFrom('instance')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('available', '=', 0)
      .executeTakeFirstOrThrow()
    const others = Object.values(await countNotOk(database)).reduce((sum, count) => sum + count, 0)
    const ok = Number(all.count) - Number(away.count) - others
    const remote = await db
      .selectFrom('remote_instance')
      .select(['librarian_id', ({ fn }) => fn.countAll().as('count')])
      .groupBy('librarian_id')
      .execute()
    return {
      ok,
      oldestReading: await oldestReading(database),
      remoteCopies: remote.map(({ librarian_id, count }) => ({ librarianId: librarian_id, copies: Number(count) })),
    }
  }),
}

async function countNotOk({ sql: db }: Database): Promise<NotOk> {
  const rows = await db
    .selectFrom('instance')
    .select(['state', ({ fn }) => fn.countAll().as('count')])
    .where('state', '<>', 'ok')
    .where('available', '=', 1)
    .groupBy('state')
    .execute()
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]))
}

type Transfers = 'incoming_transfer' | 'outgoing_transfer'

async function countOpen({ sql: db }: Database, table: Transfers): Promise<{ count: number; last: number | null }> {
  const { count, last } = await db
    .selectFrom(table as 'incoming_transfer')
    .select(({ fn }) => [fn.countAll().as('count'), fn.max('id').as('last')])
    .where(isOpen)
    .executeTakeFirstOrThrow()
  return { count: Number(count), last }
}

/** The end of an index; by its own choice SQLite goes through all that was ever sent (`traffic.ts`). */
async function lastEnd({ sql: db, dialect }: Database, table: Transfers): Promise<Instant | null> {
  const index = table === 'incoming_transfer' ? 'incoming_kept' : 'outgoing_sent'
  const { rows } = await sql<{ last: Instant | null }>`
    SELECT max(end_time) AS last FROM ${sql.table(table)} ${dialect.by(index)} WHERE status = 'COMPLETED'`.execute(db)
  return rows[0]?.last ?? null
}

/** Each store's index has its copies by their last reading: the first that is in use is the one. */
async function oldestReading({ sql: db }: Database): Promise<Instant | null> {
  const stores = await db.selectFrom('store').select('id').where('enabled', '=', 1).execute()
  const times: Instant[] = []
  for (const { id } of stores) {
    const { rows } = await sql<{ time: Instant }>`
      SELECT checksum_time AS time FROM (
        SELECT checksum_time, available FROM instance WHERE store_id = ${id} AND checksum_time IS NOT NULL
        ORDER BY checksum_time LIMIT ${MOST_SKIPPED}) AS first
      WHERE available = 1 LIMIT 1`.execute(db)
    if (rows[0]) times.push(rows[0].time)
  }
  return times.toSorted()[0] ?? null
}
