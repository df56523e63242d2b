/**
 * Copies in the order in which a scrub reads them (reliability C3): those that nobody has read first, then the longest unread.
 * Progress is the readings themselves: what was read goes to the end, so a run that was killed goes on where it was.
 */
import type { Instant } from '@arriero/api'
import type { Selectable } from 'kysely'
import { type Database, read } from '../operation.ts'
import type { FileTable, InstanceTable } from '../schema.ts'

export interface ScrubCopy {
  readonly file: Pick<Selectable<FileTable>, 'name' | 'kind' | 'size' | 'checksum' | 'sha256'>
  readonly instance: Pick<Selectable<InstanceTable>, 'id' | 'store_id' | 'state'>
  /** Of the last full reading; null: nobody has read it. */
  readonly readTime: Instant | null
  /** It was last read before `overdueBefore`. */
  readonly isOverdue: boolean
  /** Where the page after it begins. */
  readonly cursor: ScrubCursor
}

export interface ScrubCursor {
  readonly time: Instant | null
  readonly id: number
}

export interface DuePage {
  readonly storeId: number
  /** Last read before this: the same for all pages of a round, or what the round itself has read would be due again. */
  readonly before: Instant
  readonly overdueBefore: Instant
  readonly after?: ScrubCursor | undefined
  readonly limit: number
}

export interface RecentPage {
  readonly storeId: number
  /** Undefined: of all ages. */
  readonly withinSeconds: number | undefined
  readonly after?: ScrubCursor | undefined
  readonly limit: number
}

/** Of the copies in use. */
export interface ReadingAges {
  /** Of the copy that was read longest ago; undefined: none was read. */
  readonly oldest: Instant | undefined
  /** How long ago that was, s, by the database's clock. */
  readonly ageSeconds: number | undefined
  /** Copies that nobody has read. */
  readonly unread: number
}

export const scrubbing = {
  /** So many seconds ago, by the database's clock. */
  ago: read<{ seconds: number }, Instant>(async ({ sql, dialect }, { seconds }) => {
    const { time } = await sql.selectNoFrom(dialect.nowPlus(-seconds).as('time')).executeTakeFirstOrThrow()
    return time
  }),

  /** A page of those on a store that are due, in order. */
  due: read<DuePage, ScrubCopy[]>(async (database, page) => {
    const { after, limit } = page
    const unread = after?.time == null ? await unreadPage(database, page, after?.id ?? 0) : []
    if (unread.length === limit) return unread
    const rest = after?.time == null ? undefined : { time: after.time, id: after.id }
    return [...unread, ...(await readPage(database, page, rest, limit - unread.length))]
  }),

  /** A page of those on a store that were made lately, oldest first (librarian 12.1). */
  recent: read<RecentPage, ScrubCopy[]>(async ({ sql, dialect }, { storeId, withinSeconds, after, limit }) => {
    let query = selection({ sql, dialect }).where('instance.store_id', '=', storeId).where('instance.available', '=', 1)
    if (withinSeconds !== undefined) {
      query = query.where('instance.created_time', '>=', dialect.nowPlus(-withinSeconds))
    }
    if (after?.time != null) {
      const { time, id } = after
      query = query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('instance.created_time', 'instance.id'), '>', tuple(time, id)),
      )
    }
    const rows = await query.orderBy('instance.created_time').orderBy('instance.id').limit(limit).execute()
    return rows.map(row => toCopy(row, undefined, { time: row.created_time, id: row.id }))
  }),

  ages: read<{ storeIds: readonly number[] }, ReadingAges>(async ({ sql, dialect }, { storeIds }) => {
    const times: Instant[] = []
    let unread = 0
    for (const storeId of storeIds) {
      const copies = sql.selectFrom('instance').where('store_id', '=', storeId).where('available', '=', 1)
      const oldest = copies.select('checksum_time').where('checksum_time', 'is not', null)
      const row = await oldest.orderBy('checksum_time').limit(1).executeTakeFirst()
      if (row?.checksum_time) times.push(row.checksum_time)
      const none = copies.select(({ fn }) => fn.countAll<number | string>().as('n')).where('checksum_time', 'is', null)
      unread += Number((await none.executeTakeFirstOrThrow()).n)
    }
    const oldest = times.toSorted()[0]
    const now = await sql.selectNoFrom(dialect.now().as('now')).executeTakeFirstOrThrow()
    const ageSeconds = oldest === undefined ? undefined : (Date.parse(now.now) - Date.parse(oldest)) / 1000
    return { oldest, ageSeconds, unread }
  }),

  /** How many copies in use a store has, counted no further than matters. */
  countOnStore: read<{ storeId: number; most: number }, number>(async ({ sql }, { storeId, most }) => {
    const some = sql.selectFrom('instance').select('id').where('store_id', '=', storeId).limit(most)
    const { n } = await sql
      .selectFrom(some.as('kept'))
      .select(eb => eb.fn.countAll<number | string>().as('n'))
      .executeTakeFirstOrThrow()
    return Number(n)
  }),

  /** Open alarms from a caller: by this a brake stays on until a person has cleared it. */
  openAlarm: read<{ caller: string }, number | undefined>(async ({ sql }, { caller }) => {
    const alarms = sql.selectFrom('error').select('id').where('caller', '=', caller).where('cleared', '=', 0)
    return (await alarms.executeTakeFirst())?.id
  }),
}

function selection({ sql }: Database) {
  return sql
    .selectFrom('instance')
    .innerJoin('file', 'file.name', 'instance.file_name')
    .select([
      'instance.id',
      'instance.store_id',
      'instance.state',
      'instance.checksum_time',
      'instance.created_time',
      'file.name',
      'file.kind',
      'file.size',
      'file.checksum',
      'file.sha256',
    ])
}

type Row = Awaited<ReturnType<ReturnType<typeof selection>['executeTakeFirstOrThrow']>>

function toCopy(row: Row, overdueBefore: Instant | undefined, cursor: ScrubCursor): ScrubCopy {
  const { id, store_id, state, checksum_time: readTime, created_time: _, ...file } = row
  const isOverdue = readTime !== null && overdueBefore !== undefined && readTime < overdueBefore
  return { file, instance: { id, store_id, state }, readTime, isOverdue, cursor }
}

async function unreadPage(
  database: Database,
  { storeId, overdueBefore, limit }: DuePage,
  after: number,
): Promise<ScrubCopy[]> {
  const rows = await selection(database)
    .where('instance.store_id', '=', storeId)
    .where('instance.checksum_time', 'is', null)
    .where('instance.available', '=', 1)
    .where('instance.id', '>', after)
    // As the index has them, so that none need be sorted.
    .orderBy('instance.store_id')
    .orderBy('instance.checksum_time')
    .orderBy('instance.id')
    .limit(limit)
    .execute()
  return rows.map(row => toCopy(row, overdueBefore, { time: null, id: row.id }))
}

async function readPage(
  database: Database,
  { storeId, before, overdueBefore }: DuePage,
  after: { readonly time: Instant; readonly id: number } | undefined,
  limit: number,
): Promise<ScrubCopy[]> {
  let query = selection(database)
    .where('instance.store_id', '=', storeId)
    .where('instance.checksum_time', '<', before)
    .where('instance.available', '=', 1)
  if (after) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('instance.checksum_time', 'instance.id'), '>', tuple(after.time, after.id)),
    )
  }
  const inOrder = query.orderBy('instance.store_id').orderBy('instance.checksum_time').orderBy('instance.id')
  const rows = await inOrder.limit(limit).execute()
  return rows.map(row => toCopy(row, overdueBefore, { time: row.checksum_time, id: row.id }))
}
