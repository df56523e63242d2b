/**
 * Calls to other librarians that must be made sooner or later (reliability 8.14). Whoever makes one necessary writes it in the
 * same transaction, by `enqueue`; delivery makes it until it is answered, and then its row goes.
 */
import { type Selectable, sql } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import { listOf, rowSet } from '../row-set.ts'
import type { MessageTable } from '../schema.ts'

export type Message = Selectable<MessageTable>

export interface NewMessage {
  /** The other librarian's name. */
  readonly peer: string
  /** Path of the wire, as `clone/complete`. */
  readonly call: string
  /** The request's body. */
  readonly body: object
  /** Repetitions keep it; so must whoever writes the same message twice. */
  readonly idempotencyKey: string
}

/** How many messages of one librarian wait, and since when. */
export interface Waiting {
  readonly peer: string
  readonly count: number
  readonly oldest: string
}

export const outbox = {
  add: write<{ messages: readonly NewMessage[] }, void>((database, { messages }) => enqueue(database, messages)),

  /** Those that may be sent now, the oldest first, of librarians to which somebody is not sending already. */
  due: read<{ notTo: readonly string[]; limit: number }, Message[]>(async ({ sql, dialect }, { notTo, limit }) => {
    let query = sql.selectFrom('message').selectAll().where('next_try', '<=', dialect.now())
    if (notTo.length > 0) query = query.where('peer', 'not in', notTo)
    return await query.orderBy('next_try').orderBy('id').limit(limit).execute()
  }),

  /** Librarians that have messages which may be sent now. */
  duePeers: read<undefined, string[]>(async ({ sql, dialect }) => {
    const rows = await sql
      .selectFrom('peer')
      .select('name')
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('message')
            .select('message.id')
            .whereRef('message.peer', '=', 'peer.name')
            .where('message.next_try', '<=', dialect.now()),
        ),
      )
      .execute()
    return rows.map(({ name }) => name)
  }),

  /** Of one librarian, those that may be sent now, the oldest first. */
  dueTo: read<{ peer: string; limit: number }, Message[]>(
    async ({ sql, dialect }, { peer, limit }) =>
      await sql
        .selectFrom('message')
        .selectAll()
        .where('peer', '=', peer)
        .where('next_try', '<=', dialect.now())
        .orderBy('next_try')
        .orderBy('id')
        .limit(limit)
        .execute(),
  ),

  /** They were answered: whatever the answer was, asking again would not change it. */
  done: write<{ ids: readonly number[] }, void>(async ({ sql, dialect }, { ids }) => {
    await sql
      .deleteFrom('message')
      .where('id', 'in', listOf(dialect, 'integer', ids))
      .execute()
  }),

  /** They could not be delivered; the next try is after so many seconds. */
  later: write<{ ids: readonly number[]; seconds: number; reason: string }, void>(
    async ({ sql, dialect }, { ids, seconds, reason }) => {
      if (ids.length === 0) return
      await sql
        .updateTable('message')
        .set(eb => ({ attempts: eb('attempts', '+', 1), next_try: dialect.nowPlus(seconds), reason }))
        .where('id', 'in', ids)
        .execute()
    },
  ),

  waiting: read<void, Waiting[]>(async ({ sql }) => {
    const rows = await sql
      .selectFrom('message')
      .select(['peer', eb => eb.fn.countAll<number>().as('count'), eb => eb.fn.min('created').as('oldest')])
      .groupBy('peer')
      .orderBy('peer')
      .execute()
    return rows.map(({ peer, count, oldest }) => ({ peer, count: Number(count), oldest }))
  }),
}

const messageColumns = { peer: 'text', call: 'text', body: 'text', key: 'text' } as const

/** Part of another operation's transaction. A message whose key is there already is not written again. */
export async function enqueue({ sql: db, dialect }: Database, messages: readonly NewMessage[]): Promise<void> {
  if (messages.length === 0) return
  const rows = messages.map(({ peer, call, body, idempotencyKey: key }) => ({
    peer,
    call,
    body: JSON.stringify(body),
    key,
  }))
  const given = rowSet(dialect, messageColumns, rows)
  await sql`
    INSERT INTO message (peer, call, body, idempotency_key, created, attempts, next_try, reason)
    SELECT given.peer, given.call, given.body, given.key, ${dialect.now()}, 0, ${dialect.now()}, NULL
    FROM ${given} AS given WHERE true
    ON CONFLICT (idempotency_key) DO NOTHING`.execute(db)
}
