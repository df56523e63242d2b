/**
 * Numbers for those who watch: how many there are of what, and since when. Each is taken from an index, or from rows that are
 * few while all is well; none reads a table of files or copies through.
 */
import type { Instant } from '@arriero/api'
import { sql as text } from 'kysely'
import { type Database, read } from '../operation.ts'
import type { CopyState, TransferStatus } from '../schema.ts'
import { isOpen } from './outgoing-states.ts'

export interface CopyFigures {
  readonly files: number
  /** Copies by store and state, also those that are not in use; where there are none there is no entry. */
  readonly copies: readonly { readonly storeId: number; readonly state: CopyState; readonly count: number }[]
  /** Of the copy in use that was read longest ago; stores without any that was read have no entry. */
  readonly oldest: readonly { readonly storeId: number; readonly ageSeconds: number }[]
}

export type Direction = 'in' | 'out' | 'local'

export interface TransferFigures {
  /** All that the catalogue remembers; `local` are copies from store to store. */
  readonly transfers: readonly {
    readonly direction: Direction
    readonly status: TransferStatus
    readonly count: number
  }[]
  /** What is open to each librarian: announced or about to be, and not yet told to have arrived. */
  readonly backlog: readonly {
    readonly destination: string
    readonly files: number
    readonly bytes: number
    /** Since the first of them was begun. */
    readonly oldestSeconds: number
  }[]
}

export interface StandingFigures {
  /** By the database's clock. */
  readonly now: Instant
  /** Errors that nobody has cleared, by severity as the rows have it. */
  readonly errors: readonly { readonly severity: string; readonly count: number }[]
  readonly trash: { readonly copies: number; readonly oldestSeconds: number }
  readonly messages: readonly { readonly peer: string; readonly count: number; readonly oldestSeconds: number }[]
  readonly peers: readonly {
    readonly name: string
    readonly isEnabled: boolean
    /** Since it last answered us; since it last called. */
    readonly seenSeconds: number
    readonly heardSeconds: number
  }[]
  /** Bytes of the database, without what is not yet merged into it. */
  readonly bytes: number
}

type Count = number | string

const notGood = ['mismatch', 'missing', 'unreadable', 'unavailable', 'never-checked'] as const satisfies CopyState[]

export const figures = {
  /** Goes through indexes of all copies: a second where there are millions. */
  copies: read<undefined, CopyFigures>(async database => {
    const { sql } = database
    const files = await sql
      .selectFrom('file')
      .select(({ fn }) => fn.countAll<Count>().as('n'))
      .executeTakeFirstOrThrow()
    const all = await sql
      .selectFrom('instance')
      .select(['store_id', ({ fn }) => fn.countAll<Count>().as('n')])
      .groupBy('store_id')
      .execute()
    // Only these have an index by state (used where both conditions are there); the others are what is left.
    const others = await sql
      .selectFrom('instance')
      .select(['store_id', 'state', ({ fn }) => fn.countAll<Count>().as('n')])
      .where('state', '<>', 'ok')
      .where('state', 'in', notGood)
      .groupBy(['store_id', 'state'])
      .execute()
    const known = others.map(({ store_id: storeId, state, n }) => ({ storeId, state, count: Number(n) }))
    const good = all.map(({ store_id: storeId, n }) => {
      const rest = known.filter(other => other.storeId === storeId).reduce((sum, { count }) => sum + count, 0)
      return { storeId, state: 'ok' as const, count: Number(n) - rest }
    })
    const oldest = await oldestReadings(
      database,
      all.map(({ store_id }) => store_id),
    )
    return { files: Number(files.n), copies: [...good, ...known], oldest }
  }),

  /** Goes through indexes of all transfers, and the rows of those that are open. */
  transfers: read<undefined, TransferFigures>(async database => {
    const now = await nowOf(database)
    const { sql } = database
    const incoming = await sql
      .selectFrom('incoming_transfer')
      .select(['status', ({ fn }) => fn.countAll<Count>().as('n')])
      .groupBy('status')
      .execute()
    const local = await sql
      .selectFrom('clone_transfer')
      .select(['status', ({ fn }) => fn.countAll<Count>().as('n')])
      .groupBy('status')
      .execute()
    // In the order of their index, so that nothing is sorted.
    const outgoing = await sql
      .selectFrom('outgoing_transfer')
      .select(['destination', 'status', ({ fn }) => fn.countAll<Count>().as('n')])
      .groupBy(['destination', 'status'])
      .execute()
    const transfers = [...byStatus('in', incoming), ...byStatus('out', outgoing), ...byStatus('local', local)]
    // Not the bare column: its index has the open ones scattered among all that have ended.
    const destination = text<string>`destination || ''`
    const open = await sql
      .selectFrom('outgoing_transfer')
      .select(({ fn }) => [
        destination.as('destination'),
        fn.countAll<Count>().as('n'),
        fn.sum<Count>('transfer_size').as('bytes'),
        fn.min('start_time').as('oldest'),
      ])
      .where(isOpen)
      .groupBy(destination)
      .execute()
    const backlog = open.map(({ destination, n, bytes, oldest }) => ({
      destination,
      files: Number(n),
      bytes: Number(bytes),
      oldestSeconds: secondsSince(oldest, now),
    }))
    return { transfers, backlog }
  }),

  standing: read<undefined, StandingFigures>(async database => {
    const now = await nowOf(database)
    const { sql } = database
    const errors = await sql
      .selectFrom('error')
      .select(['severity', ({ fn }) => fn.countAll<Count>().as('n')])
      .where('cleared', '=', 0)
      .groupBy('severity')
      .execute()
    const trash = await sql
      .selectFrom('trash')
      .select(({ fn }) => [fn.countAll<Count>().as('n'), fn.min('trashed').as('oldest')])
      .where('state', '=', 'trashed')
      .executeTakeFirstOrThrow()
    const messages = await sql
      .selectFrom('message')
      .select(({ fn }) => ['peer', fn.countAll<Count>().as('n'), fn.min('created').as('oldest')])
      .groupBy('peer')
      .execute()
    const peers = await sql
      .selectFrom('peer')
      .select(['name', 'transfers_enabled', 'last_seen', 'last_heard'])
      .orderBy('name')
      .execute()
    return {
      now,
      errors: errors.map(({ severity, n }) => ({ severity, count: Number(n) })),
      trash: { copies: Number(trash.n), oldestSeconds: secondsSince(trash.oldest, now) },
      messages: messages.map(({ peer, n, oldest }) => ({
        peer,
        count: Number(n),
        oldestSeconds: secondsSince(oldest, now),
      })),
      peers: peers.map(({ name, transfers_enabled, last_seen, last_heard }) => ({
        name,
        isEnabled: transfers_enabled === 1,
        seenSeconds: secondsSince(last_seen, now),
        heardSeconds: secondsSince(last_heard, now),
      })),
      bytes: await bytesOf(database),
    }
  }),
}

/** Of all destinations together. */
function byStatus(
  direction: Direction,
  rows: readonly { readonly status: TransferStatus; readonly n: Count }[],
): TransferFigures['transfers'][number][] {
  const counts = new Map<TransferStatus, number>()
  for (const { status, n } of rows) counts.set(status, (counts.get(status) ?? 0) + Number(n))
  return [...counts].map(([status, count]) => ({ direction, status, count }))
}

async function oldestReadings(database: Database, storeIds: readonly number[]): Promise<CopyFigures['oldest']> {
  const now = await nowOf(database)
  const found: { storeId: number; ageSeconds: number }[] = []
  for (const storeId of storeIds) {
    const row = await database.sql
      .selectFrom('instance')
      .select('checksum_time')
      .where('store_id', '=', storeId)
      .where('available', '=', 1)
      .where('checksum_time', 'is not', null)
      .orderBy('checksum_time')
      .limit(1)
      .executeTakeFirst()
    if (row) found.push({ storeId, ageSeconds: secondsSince(row.checksum_time, now) })
  }
  return found
}

async function nowOf({ sql, dialect }: Database): Promise<Instant> {
  const { now } = await sql.selectNoFrom(dialect.now().as('now')).executeTakeFirstOrThrow()
  return now
}

/** A clock that was put back makes nothing younger than now. */
function secondsSince(time: Instant | null, now: Instant): number {
  return time === null ? 0 : Math.max(0, (Date.parse(now) - Date.parse(time)) / 1000)
}

async function bytesOf({ sql, dialect }: Database): Promise<number> {
  const query =
    dialect.name === 'sqlite'
      ? text<{ n: Count }>`SELECT page_count * page_size AS n FROM pragma_page_count(), pragma_page_size()`
      : text<{ n: Count }>`SELECT pg_database_size(current_database()) AS n`
  return Number((await query.execute(sql)).rows[0]?.n ?? 0)
}
