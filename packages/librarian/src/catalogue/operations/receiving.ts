/** Clones that arrive: announced, moved through their states, looked for by those who fetch and commit them (librarian 10.3). */
import { sql } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import { isMine, type Move, type Moved, type Mover, moveIncoming } from './receiving/move.ts'
import { pullManager } from './receiving/pull-manager.ts'
import { type StageClones, type StageClonesOutcome, stageClones } from './receiving/stage.ts'
import { knownPeers, tellCompleted, tellDoubt, tellFailed, toldColumns } from './receiving/tell-source.ts'
import { endOpen, type IncomingTransfer, idSet, transfersOf } from './uploads.ts'

export type { Movable, Move, Moved, Mover, Unmoved } from './receiving/move.ts'
export { pullManager } from './receiving/pull-manager.ts'
export type { NewClone, Repeated, StageClones, StageClonesOutcome } from './receiving/stage.ts'

export interface PullRequest {
  readonly pairs: readonly { readonly sourceTransferId: number; readonly id: number }[]
  readonly mover: Mover
}

export interface PullOutcome {
  readonly accepted: readonly number[]
  readonly refused: readonly { readonly id: number; readonly reason: string }[]
  /** Librarians from which something is to be fetched now. */
  readonly peers: readonly string[]
}

export const receiving = {
  /** Which of these are librarians that this one knows. */
  knownPeers: read<{ names: readonly string[] }, string[]>(async (database, { names }) => [
    ...(await knownPeers(database, names)),
  ]),

  stage: write<StageClones, StageClonesOutcome>((database, wanted) => stageClones(database, wanted)),

  /** Uploads of users too, by those whose they are. */
  move: write<Move, Moved<IncomingTransfer>>((database, move) => moveIncoming(database, move)),

  /** Notes that the bytes of transfers are to be fetched by this librarian. May be repeated. */
  pull: write<PullRequest, PullOutcome>((database, request) => pull(database, request)),

  /** Librarians from which something is to be fetched. */
  pullPeers: read<undefined, string[]>(async ({ sql: db }) => {
    const { rows } = await sql<{ source: string }>`
      SELECT DISTINCT source FROM incoming_transfer WHERE ${isPulled}`.execute(db)
    return rows.map(({ source }) => source)
  }),

  /** What is to be fetched from one of them, in order of number; not what is being committed now. */
  pulled: read<{ peer: string; after: number; limit: number }, IncomingTransfer[]>(
    async ({ sql: db }, { peer, after, limit }) => {
      const { rows } = await sql<IncomingTransfer>`
        SELECT * FROM incoming_transfer WHERE ${isPulled} AND source = ${peer} AND id > ${after} AND ${isNotCommitted}
        ORDER BY id LIMIT ${limit}`.execute(db)
      return rows
    },
  ),

  /** Whose bytes have arrived in the staging area, in order of number; never uploads, which their users commit (librarian Q24). */
  staged: read<{ after: number; limit: number }, IncomingTransfer[]>(async ({ sql: db }, { after, limit }) => {
    const { rows } = await sql<IncomingTransfer>`
      SELECT * FROM incoming_transfer WHERE status = 'STAGED' AND source_transfer_id IS NOT NULL AND id > ${after}
      ORDER BY id LIMIT ${limit}`.execute(db)
    return rows
  }),

  /** Open for longer, by the database's clock, uploads to which nobody has sent anything meanwhile among them. */
  stale: read<{ olderThanSeconds: number; after: number; limit: number }, IncomingTransfer[]>(
    async ({ sql: db, dialect }, { olderThanSeconds, after, limit }) => {
      const since = dialect.nowPlus(-olderThanSeconds)
      const { rows } = await sql<IncomingTransfer>`
        SELECT * FROM incoming_transfer WHERE status IN ('INITIATED','ONGOING','STAGED') AND start_time < ${since}
          AND (source_transfer_id IS NOT NULL OR COALESCE(active_time, start_time) < ${since})
          AND id > ${after} AND ${isNotCommitted}
        ORDER BY id LIMIT ${limit}`.execute(db)
      return rows
    },
  ),

  /** The sender says that it is further: true where the transfer was as it was met. */
  adopt: write<{ id: number; from: 'INITIATED' | 'ONGOING'; to: 'ONGOING' | 'STAGED' }, boolean>(
    async ({ sql: db }, { id, from, to }) => {
      const { numUpdatedRows } = await db
        .updateTable('incoming_transfer')
        .set({ status: to })
        .where('id', '=', id)
        .where('status', '=', from)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },
  ),

  /** What was sent again has taken the place of a bad copy, or it was good again already. False: the transfer has ended. */
  completeReplacement: write<{ id: number; manager: string | null }, boolean>(async (database, { id, manager }) => {
    const { sql: db, dialect } = database
    const completed = await db
      .updateTable('incoming_transfer')
      .set({ status: 'COMPLETED', end_time: dialect.now(), transfer_manager_name: manager })
      .where('id', '=', id)
      .where('status', 'in', ['INITIATED', 'ONGOING', 'STAGED'])
      .returning(toldColumns)
      .execute()
    await tellCompleted(database, completed)
    return completed.length === 1
  }),

  /** Bytes that came for it were not those that were announced: its sender is asked to read its copies. */
  doubt: write<{ id: number; key: string }, void>(async (database, { id, key }) => {
    const [transfer] = await transfersOf(database, [id])
    if (transfer) await tellDoubt(database, transfer, key)
  }),

  /** Ends transfers that will not come, each with its reason, and has their senders told. Resolves to those that were open. */
  fail: write<{ failures: readonly { readonly id: number; readonly reason: string }[] }, IncomingTransfer[]>(
    async (database, { failures }) => {
      const ended: IncomingTransfer[] = []
      for (const [reason, group] of Map.groupBy(failures, failure => failure.reason)) {
        ended.push(...(await endOpen(database, { ids: group.map(({ id }) => id), status: 'FAILED', reason })))
      }
      await tellFailed(database, ended)
      return ended
    },
  ),
}

const isPulled = sql`status = 'ONGOING' AND source_transfer_id IS NOT NULL AND transfer_manager_name = ${sql.lit(pullManager)}`

const isNotCommitted = sql`NOT EXISTS (SELECT 1 FROM intent WHERE intent.incoming_transfer_id = incoming_transfer.id)`

async function pull(database: Database, { pairs, mover }: PullRequest): Promise<PullOutcome> {
  const ids = pairs.map(({ id }) => id)
  const found = new Map((await transfersOf(database, ids)).map(transfer => [transfer.id, transfer]))
  const peers = await knownPeers(database, [...new Set([...found.values()].map(({ source }) => source))])
  const accepted = new Set<number>()
  const refused: { id: number; reason: string }[] = []
  for (const { id, sourceTransferId } of pairs) {
    const transfer = found.get(id)
    const reason = whyNotPulled(transfer, { sourceTransferId, mover, peers })
    if (reason === undefined) accepted.add(id)
    else refused.push({ id, reason })
  }
  if (accepted.size > 0) {
    const { sql: db, dialect } = database
    await sql`
      UPDATE incoming_transfer SET status = 'ONGOING', transfer_manager_name = ${pullManager}, active_time = ${dialect.now()}
      WHERE id IN (SELECT wanted.id FROM ${idSet(dialect, [...accepted])} AS wanted)
        AND status IN ('INITIATED','ONGOING')`.execute(db)
  }
  const woken = [...accepted].map(id => found.get(id)!.source)
  return { accepted: [...accepted], refused, peers: [...new Set(woken)] }
}

function whyNotPulled(
  transfer: IncomingTransfer | undefined,
  { sourceTransferId, mover, peers }: { sourceTransferId: number; mover: Mover; peers: ReadonlySet<string> },
): string | undefined {
  const isFound = transfer && isMine(transfer, mover) && transfer.source_transfer_id === sourceTransferId
  if (!isFound) return 'There is no such transfer.'
  if (transfer.status === 'COMPLETED') return undefined
  if (transfer.status !== 'INITIATED' && transfer.status !== 'ONGOING') {
    return `The transfer must be INITIATED or ONGOING, it is ${transfer.status}.`
  }
  if (!peers.has(transfer.source)) return `There is no librarian ${transfer.source} to fetch from.`
  return undefined
}
