/**
 * Pieces of work of the embedded task engine (reliability 8.13, 8.15). Whoever takes one names it by a claim of its own, made
 * for this delivery alone; every later write names that claim, so that one who lost the piece changes nothing.
 *
 * All times are the database's. A clock that was put forward makes pieces due and claims run out too early, which does no harm;
 * one that was put back would let them wait for years, so that what is dated in the future counts as over.
 */
import type { Instant } from '@arriero/api'
import { type Expression, type ExpressionBuilder, type Selectable, type SqlBool, sql as text } from 'kysely'
import type { Dialect } from '../dialect.ts'
import { type Database, read, write } from '../operation.ts'
import type { PieceTable, Schema } from '../schema.ts'

export interface WantedPiece {
  readonly queue: string
  readonly key: string
  readonly inSeconds: number
  readonly priority: number
}

/** How many pieces of a queue may be taken. */
export interface QueueRoom {
  readonly queue: string
  readonly room: number
  /** Of all processes; null: no bound. */
  readonly everywhere: number | null
  /** For how long a claim holds. */
  readonly seconds: number
}

export interface Delivery {
  readonly queue: string
  readonly key: string
  readonly claim: string
}

export type TakenPiece = Delivery & Pick<Selectable<PieceTable>, 'attempts'>

export const pieces = {
  /** The earliest time that somebody wants, and the greatest priority; of a piece that somebody has: again after this. */
  want: write<{ pieces: readonly WantedPiece[] }, void>(async ({ sql, dialect }, { pieces }) => {
    for (const { queue, key, inSeconds, priority } of pieces) {
      const due = dialect.nowPlus(inSeconds)
      await sql
        .insertInto('piece')
        .values({ queue, key, due, wanted: dialect.now(), priority, attempts: 0 })
        .onConflict(conflict =>
          conflict.columns(['queue', 'key']).doUpdateSet({
            due: earlier(due),
            wanted: dialect.now(),
            priority: text<number>`CASE WHEN piece.priority < ${priority} THEN ${priority} ELSE piece.priority END`,
          }),
        )
        .execute()
    }
  }),

  /** Takes what is due, the most urgent first, then the oldest. */
  take: write<{ rooms: readonly QueueRoom[]; claim: string }, TakenPiece[]>(async (database, { rooms, claim }) => {
    const taken: TakenPiece[] = []
    for (const room of rooms) taken.push(...(await takeOf(database, room, claim)))
    return taken
  }),

  /** How long until something of these queues may be taken, ms; undefined: nothing is wanted. */
  next: read<{ queues: readonly string[] }, number | undefined>(async ({ sql, dialect }, { queues }) => {
    if (queues.length === 0) return undefined
    const { now, due, expires } = await sql
      .selectFrom('piece')
      .where('queue', 'in', queues)
      .select(eb => [
        dialect.now().as('now'),
        eb.fn.min(eb.case().when('claim', 'is', null).then(eb.ref('due')).end()).as('due'),
        eb.fn.min('expires').as('expires'),
      ])
      .executeTakeFirstOrThrow()
    const next = [due, expires].filter(time => time !== null).map(time => Date.parse(time) - Date.parse(now))
    return next.length === 0 ? undefined : Math.max(0, Math.min(...next))
  }),

  /** Those that are still theirs. */
  renew: write<{ deliveries: readonly (Delivery & { readonly seconds: number })[] }, Delivery[]>(
    async ({ sql, dialect }, { deliveries }) => {
      const ours: Delivery[] = []
      for (const { seconds, ...delivery } of deliveries) {
        const { numUpdatedRows } = await sql
          .updateTable('piece')
          .set({ expires: dialect.nowPlus(seconds) })
          .where(ofDelivery(delivery))
          .executeTakeFirst()
        if (numUpdatedRows === 1n) ours.push(delivery)
      }
      return ours
    },
  ),

  /** It is done, or is to be done again after so many seconds. False: it was another's meanwhile, and stays as it is. */
  finish: write<{ delivery: Delivery; againInSeconds: number | null }, boolean>(
    async (database, { delivery, againInSeconds }) => {
      const { sql, dialect } = database
      const again = againInSeconds === null ? undefined : dialect.nowPlus(againInSeconds)
      if (again !== undefined) return await putBack(database, delivery, { due: earlier(again), attempts: 0 })
      const { numDeletedRows } = await sql
        .deleteFrom('piece')
        .where(ofDelivery(delivery))
        .where('due', 'is', null)
        .executeTakeFirst()
      return numDeletedRows === 1n || (await putBack(database, delivery, { attempts: 0 }))
    },
  ),

  /** Somebody else may do it at once. */
  release: write<{ delivery: Delivery }, boolean>(
    async (database, { delivery }) => await putBack(database, delivery, { due: database.dialect.now() }),
  ),

  /** No process is left that has any: all claims have run out. */
  abandon: write<undefined, void>(async ({ sql, dialect }) => {
    await sql
      .updateTable('piece')
      .set({ expires: dialect.nowPlus(-1) })
      .where('claim', 'is not', null)
      .execute()
  }),

  /** It is tried again after so many seconds, or when it was wanted meanwhile. */
  fail: write<{ delivery: Delivery; inSeconds: number; reason: string }, boolean>(
    async (database, { delivery, inSeconds, reason }) =>
      await putBack(database, delivery, {
        due: earlier(database.dialect.nowPlus(inSeconds)),
        attempts: text<number>`attempts + 1`,
        reason,
      }),
  ),
}

type Builder = ExpressionBuilder<Schema, 'piece'>

async function takeOf(
  { sql, dialect }: Database,
  { queue, room, everywhere, seconds }: QueueRoom,
  claim: string,
): Promise<TakenPiece[]> {
  const limit = everywhere === null ? room : Math.min(room, everywhere - (await held({ sql, dialect }, queue, seconds)))
  if (limit <= 0) return []
  const found = await sql
    .selectFrom('piece')
    .select(['queue', 'key', 'attempts'])
    .where('queue', '=', queue)
    .where(eb => isFree(eb, dialect, seconds))
    .orderBy('priority', 'desc')
    .orderBy('due')
    .orderBy('key')
    .limit(limit)
    .execute()
  if (found.length === 0) return []
  const keys = found.map(({ key }) => key)
  await sql
    .updateTable('piece')
    .set({ claim, expires: dialect.nowPlus(seconds), due: null, attempts: attemptsAfterAll })
    .where('queue', '=', queue)
    .where('key', 'in', keys)
    .execute()
  return found.map(piece => ({ ...piece, claim }))
}

/** Of one whose process was lost, the delivery counts as an attempt: it may be what kills processes. */
const attemptsAfterAll = text<number>`CASE WHEN claim IS NULL THEN attempts ELSE attempts + 1 END`

async function held({ sql, dialect }: Database, queue: string, seconds: number): Promise<number> {
  const { count } = await sql
    .selectFrom('piece')
    .select(eb => eb.fn.countAll<number>().as('count'))
    .where('queue', '=', queue)
    .where('claim', 'is not', null)
    .where(eb => eb.not(hasRunOut(eb, dialect, seconds)))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** What was wanted by a clock so far ahead was not wanted then. */
const AHEAD_SECONDS = 60

function isFree(eb: Builder, dialect: Dialect, seconds: number): Expression<SqlBool> {
  const isDue = eb.or([eb('due', '<=', dialect.now()), eb('wanted', '>', dialect.nowPlus(AHEAD_SECONDS))])
  return eb.or([
    eb.and([eb('claim', 'is', null), isDue]),
    eb.and([eb('claim', 'is not', null), hasRunOut(eb, dialect, seconds)]),
  ])
}

function hasRunOut(eb: Builder, dialect: Dialect, seconds: number): Expression<SqlBool> {
  return eb.or([eb('expires', '<', dialect.now()), eb('expires', '>', dialect.nowPlus(2 * seconds + AHEAD_SECONDS))])
}

function ofDelivery({ queue, key, claim }: Delivery) {
  return (eb: Builder) => eb.and([eb('queue', '=', queue), eb('key', '=', key), eb('claim', '=', claim)])
}

/** Than what is wanted already. */
function earlier(due: Expression<Instant>) {
  return text<Instant>`CASE WHEN piece.due IS NULL OR piece.due > ${due} THEN ${due} ELSE piece.due END`
}

async function putBack({ sql }: Database, delivery: Delivery, values: object): Promise<boolean> {
  const { numUpdatedRows } = await sql
    .updateTable('piece')
    .set({ claim: null, expires: null, reason: null, ...values })
    .where(ofDelivery(delivery))
    .executeTakeFirst()
  return numUpdatedRows === 1n
}
