/** Two librarians compare notes on transfers (librarian 10.4): the outgoing ones; the incoming ones are in `clones.ts`. */
import { type Selectable, sql } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import type { OutgoingTransferTable, TransferStatus } from '../schema.ts'
import { before, isMine, type Movable, type Moved, type Mover, type Unmoved } from './receiving/move.ts'
import { idSet, transfersOf } from './uploads.ts'

export type OutgoingTransfer = Selectable<OutgoingTransferTable>

export interface Status {
  readonly id: number
  readonly status: TransferStatus
}

export const checkins = {
  /** Where transfers stand, of those that the asker may know of: its own, or all for an administrator. */
  status: read<
    { outgoing: readonly number[]; incoming: readonly number[]; mover: Mover },
    { outgoing: Status[]; incoming: Status[] }
  >(async (database, { outgoing, incoming, mover }) => {
    const sent = await outgoingOf(database, outgoing)
    const received = await transfersOf(database, incoming)
    const plain = ({ id, status }: Status) => ({ id, status })
    return {
      outgoing: sent.filter(({ destination }) => mover.isAdmin || destination === mover.name).map(plain),
      incoming: received.filter(transfer => isMine(transfer, mover)).map(plain),
    }
  }),

  /** Moves outgoing transfers, by those to whom they go. */
  moveOutgoing: write<{ ids: readonly number[]; to: Movable; mover: Mover; reason: string }, Moved<OutgoingTransfer>>(
    async (database, { ids, to, mover, reason }) => {
      const { sql: db, dialect } = database
      const found = new Map((await outgoingOf(database, ids)).map(row => [row.id, row]))
      const unmoved: Unmoved[] = []
      const wanted: number[] = []
      for (const id of new Set(ids)) {
        const transfer = found.get(id)
        const isOwn = transfer && (mover.isAdmin || transfer.destination === mover.name)
        if (isOwn && before[to].includes(transfer.status)) wanted.push(id)
        else unmoved.push({ id, why: !transfer ? 'unknown' : isOwn ? 'state' : 'foreign', status: transfer?.status })
      }
      if (wanted.length === 0) return { moved: [], unmoved }
      const end = to === 'FAILED' || to === 'CANCELLED' ? sql`, end_time = ${dialect.now()}, reason = ${reason}` : sql``
      const { rows: moved } = await sql<OutgoingTransfer>`
        UPDATE outgoing_transfer SET status = ${to}${end}
        WHERE id IN (SELECT wanted.id FROM ${idSet(dialect, wanted)} AS wanted) AND status IN (${sql.join(before[to])})
        RETURNING *`.execute(db)
      return { moved, unmoved }
    },
  ),
}

async function outgoingOf({ sql: db, dialect }: Database, ids: readonly number[]): Promise<OutgoingTransfer[]> {
  if (ids.length === 0) return []
  const { rows } = await sql<OutgoingTransfer>`
    SELECT * FROM outgoing_transfer WHERE id IN (SELECT wanted.id FROM ${idSet(dialect, ids)} AS wanted)`.execute(db)
  return rows
}
