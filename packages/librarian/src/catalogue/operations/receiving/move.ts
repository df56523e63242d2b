/** Open transfers on their way through their states (librarian 11.12), each judged on its own. */
import { sql } from 'kysely'
import type { Database } from '../../operation.ts'
import type { TransferStatus } from '../../schema.ts'
import { endOpen, type IncomingTransfer, idSet, transfersOf } from '../uploads.ts'

/** Who wants it: an administrator may anything. */
export interface Mover {
  readonly name: string
  readonly isAdmin: boolean
}

export type Movable = Exclude<TransferStatus, 'INITIATED' | 'COMPLETED'>

/** From where a transfer may come to a state; what has ended goes nowhere. */
export const before: Readonly<Record<Movable, readonly TransferStatus[]>> = {
  ONGOING: ['INITIATED'],
  STAGED: ['INITIATED', 'ONGOING'],
  FAILED: ['INITIATED', 'ONGOING', 'STAGED'],
  CANCELLED: ['INITIATED', 'ONGOING', 'STAGED'],
}

export interface Move {
  readonly ids: readonly number[]
  readonly to: Movable
  /** Fewer than `before` has. */
  readonly from?: readonly TransferStatus[] | undefined
  readonly mover: Mover
  /** Of those that end. */
  readonly reason: string
  /** Uploads of users are as if they were not there. Default: they are moved as well. */
  readonly onlyClones?: boolean | undefined
}

/** `unknown`: none of this number, or another's · `busy`: it is being committed now · `state`: it may not come from there. */
export type Unmoved = {
  readonly id: number
  readonly why: 'unknown' | 'foreign' | 'busy' | 'state'
  readonly status: TransferStatus | undefined
}

export interface Moved<Transfer> {
  readonly moved: readonly Transfer[]
  readonly unmoved: readonly Unmoved[]
}

export async function moveIncoming(database: Database, move: Move): Promise<Moved<IncomingTransfer>> {
  const found = new Map((await transfersOf(database, move.ids)).map(transfer => [transfer.id, transfer]))
  const wanted: number[] = []
  const unmoved: Unmoved[] = []
  for (const id of new Set(move.ids)) {
    const why = whyNot(found.get(id), move)
    if (why) unmoved.push({ id, why, status: found.get(id)?.status })
    else wanted.push(id)
  }
  const moved = await setStatus(database, wanted, move)
  const done = new Set(moved.map(({ id }) => id))
  for (const id of wanted) if (!done.has(id)) unmoved.push({ id, why: 'busy', status: found.get(id)?.status })
  return { moved, unmoved }
}

function whyNot(
  transfer: IncomingTransfer | undefined,
  { to, from = before[to], mover, onlyClones = false }: Move,
): Unmoved['why'] | undefined {
  if (!transfer || (onlyClones && transfer.source_transfer_id === null)) return 'unknown'
  if (!isMine(transfer, mover)) return 'foreign'
  return from.includes(transfer.status) ? undefined : 'state'
}

/** Of an upload, its uploader is whatever was told; of a clone, it is the account that announced it. */
export function isMine({ source, uploader, source_transfer_id }: IncomingTransfer, { name, isAdmin }: Mover): boolean {
  return isAdmin || source === name || (source_transfer_id !== null && uploader === name)
}

async function setStatus(
  database: Database,
  ids: readonly number[],
  { to, from = before[to], reason }: Move,
): Promise<IncomingTransfer[]> {
  if (ids.length === 0) return []
  if (to === 'FAILED' || to === 'CANCELLED') return await endOpen(database, { ids, status: to, reason })
  const { sql: db, dialect } = database
  const { rows } = await sql<IncomingTransfer>`
    UPDATE incoming_transfer SET status = ${to}, active_time = ${dialect.now()}
    WHERE id IN (SELECT wanted.id FROM ${idSet(dialect, ids)} AS wanted) AND status IN (${sql.join(from)})
    RETURNING *`.execute(db)
  return rows
}
