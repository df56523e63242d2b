/** How much has moved, by the hour, and how much is on its way: what the dashboard shows of flows. */
import type { Instant } from '@arriero/api'
import { sql } from 'kysely'
import { type Database, read } from '../operation.ts'
import { isOpen } from './outgoing-states.ts'

/** What came within one hour to one store from one source, or went to one librarian. */
export interface HourOfTraffic {
  /** Its first thirteen characters: `2026-11-22T09`. */
  readonly hour: string
  readonly direction: 'in' | 'out'
  /** Out: the librarian. In: the user, or the librarian that sent. */
  readonly other: string
  /** Of what came; null: it went, or its store is not known. */
  readonly storeId: number | null
  readonly files: number
  readonly bytes: number
}

export interface OpenTraffic {
  readonly direction: 'in' | 'out'
  readonly other: string
  readonly files: number
  readonly bytes: number
  readonly oldest: Instant
}

export const traffic = {
  /** By the database's clock. */
  now: read<undefined, Instant>(async ({ sql: db, dialect }) => {
    const { now } = await db.selectNoFrom(dialect.now().as('now')).executeTakeFirstOrThrow()
    return now
  }),

  /** What ended well from one instant to another, the latter excluded. */
  hours: read<{ from: Instant; to: Instant }, readonly HourOfTraffic[]>(async (database, window) => [
    ...(await cameBetween(database, window)),
    ...(await wentBetween(database, window)),
  ]),

  /** What is on its way, or waits. */
  open: read<undefined, readonly OpenTraffic[]>(async ({ sql: db }) => {
    const came = await db
      .selectFrom('incoming_transfer')
      .select(['source', ({ fn }) => fn.countAll().as('files')])
      .select(({ fn }) => [fn.sum('transfer_size').as('bytes'), fn.min('start_time').as('oldest')])
      .where(isOpen)
      .groupBy('source')
      .execute()
    const went = await db
      .selectFrom('outgoing_transfer')
      .select(['destination', ({ fn }) => fn.countAll().as('files')])
      .select(({ fn }) => [fn.sum('transfer_size').as('bytes'), fn.min('start_time').as('oldest')])
      .where(isOpen)
      .groupBy('destination')
      .execute()
    return [
      ...came.map(row => ({ direction: 'in' as const, other: row.source, ...summed(row) })),
      ...went.map(row => ({ direction: 'out' as const, other: row.destination, ...summed(row) })),
    ]
  }),

  /** Transfers to and from librarians that began since then and have failed. */
  failed: read<
    { since: Instant; librarians: readonly string[] },
    readonly Pick<OpenTraffic, 'direction' | 'other' | 'files'>[]
  >(async (database, { since, librarians }) => {
    if (librarians.length === 0) return []
    const [came, went] = [await failedFrom(database, since), await failedTo(database, since, librarians)]
    const known = new Set(librarians)
    return [
      ...came
        .filter(({ source }) => known.has(source))
        .map(({ source, count }) => ({ direction: 'in' as const, other: source, files: Number(count) })),
      ...went.map(({ destination, count }) => ({
        direction: 'out' as const,
        other: destination,
        files: Number(count),
      })),
    ]
  }),
}

type Summed<Rest> = Rest & Counts & { readonly hour: string }

interface Window {
  readonly from: Instant
  readonly to: Instant
}

// By the indexes of what has ended, which have all that is asked for. SQLite would rather look up one after the other, by state,
// each transfer that ever ended.
async function cameBetween({ sql: db, dialect }: Database, { from, to }: Window): Promise<HourOfTraffic[]> {
  const { rows } = await sql<Summed<{ source: string; store_id: number | null }>>`
    SELECT substr(end_time, 1, 13) AS hour, source, store_id, count(*) AS files, sum(transfer_size) AS bytes
    FROM incoming_transfer ${dialect.by('incoming_kept')}
    WHERE status = 'COMPLETED' AND end_time >= ${from} AND end_time < ${to}
    GROUP BY substr(end_time, 1, 13), source, store_id`.execute(db)
  return rows.map(row => ({ direction: 'in', other: row.source, storeId: row.store_id, ...counted(row) }))
}

async function wentBetween({ sql: db, dialect }: Database, { from, to }: Window): Promise<HourOfTraffic[]> {
  const { rows } = await sql<Summed<{ destination: string }>>`
    SELECT substr(end_time, 1, 13) AS hour, destination, count(*) AS files, sum(transfer_size) AS bytes
    FROM outgoing_transfer ${dialect.by('outgoing_sent')}
    WHERE status = 'COMPLETED' AND end_time >= ${from} AND end_time < ${to}
    GROUP BY substr(end_time, 1, 13), destination`.execute(db)
  return rows.map(row => ({ direction: 'out', other: row.destination, storeId: null, ...counted(row) }))
}

function failedFrom({ sql: db }: Database, since: Instant) {
  return db
    .selectFrom('incoming_transfer')
    .select(['source', ({ fn }) => fn.countAll().as('count')])
    .where('status', '=', 'FAILED')
    .where('start_time', '>=', since)
    .groupBy('source')
    .execute()
}

function failedTo({ sql: db }: Database, since: Instant, librarians: readonly string[]) {
  return db
    .selectFrom('outgoing_transfer')
    .select(['destination', ({ fn }) => fn.countAll().as('count')])
    .where('destination', 'in', librarians)
    .where('status', '=', 'FAILED')
    .where('start_time', '>=', since)
    .groupBy('destination')
    .execute()
}

interface Counts {
  readonly files: string | number | bigint
  readonly bytes: string | number | bigint | null
}

/** Sums are text on PostgreSQL, which has no largest number. */
function counted({ hour, files, bytes }: Counts & { readonly hour: string }) {
  return { hour, files: Number(files), bytes: Number(bytes ?? 0) }
}

function summed({ files, bytes, oldest }: Counts & { readonly oldest: Instant }) {
  return { files: Number(files), bytes: Number(bytes ?? 0), oldest }
}
