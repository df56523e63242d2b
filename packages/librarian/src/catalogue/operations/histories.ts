/** What has happened to one file, as far as rows tell it: where it came from, where it went, who read it, who acted on it. */
import type { Instant } from '@arriero/api'
import { type Selectable, sql } from 'kysely'
import { type Database, read } from '../operation.ts'
import type { AuditTable, CopyState, ProofTable, RemoteProofTable, TransferStatus } from '../schema.ts'

/** The last reading of a copy. */
export type LastProof = Pick<Selectable<ProofTable>, 'instance_id' | 'time' | 'medium' | 'by' | 'outcome'>

/** What a librarian has shown last of its copy. */
export type LastRemoteProof = Pick<RemoteProofTable, 'librarian_id' | 'store_id' | 'time' | 'medium' | 'outcome'>

export interface Move {
  readonly time: Instant
  readonly kind: 'in' | 'out' | 'between'
  readonly status: TransferStatus
  /** In: the user or librarian. Out: the librarian. Between: names of stores, `from → to`. */
  readonly other: string
  readonly isClone: boolean
  readonly reason: string | null
}

export interface Reading {
  readonly time: Instant
  readonly by: string
  readonly medium: string
  readonly outcome: CopyState
  /** Store here, or librarian elsewhere. */
  readonly where: string
}

export interface Removal {
  readonly time: Instant
  readonly actor: string
  readonly reason: string
  readonly store: string
  readonly state: string
}

export interface FileHistory {
  readonly proofs: readonly LastProof[]
  readonly remoteProofs: readonly LastRemoteProof[]
  readonly moves: readonly Move[]
  readonly readings: readonly Reading[]
  readonly removals: readonly Removal[]
  /** Privileged acts on it. */
  readonly acts: readonly Pick<Selectable<AuditTable>, 'time' | 'actor' | 'action' | 'detail'>[]
}

/** Of each kind, the newest. */
const MOST = 100

export const histories = {
  of: read<{ name: string }, FileHistory>(async (database, { name }) => ({
    proofs: await lastProofs(database, name),
    remoteProofs: await lastRemoteProofs(database, name),
    moves: [
      ...(await movesIn(database, name)),
      ...(await movesOut(database, name)),
      ...(await movesBetween(database, name)),
    ],
    readings: [...(await readingsHere(database, name)), ...(await readingsElsewhere(database, name))],
    removals: await removals(database, name),
    acts: await database.sql
      .selectFrom('audit')
      .select(['time', 'actor', 'action', 'detail'])
      .where('subject', '=', name)
      .orderBy('id', 'desc')
      .limit(MOST)
      .execute(),
  })),
}

function lastProofs({ sql: db }: Database, name: string): Promise<LastProof[]> {
  return db
    .selectFrom('proof')
    .innerJoin('instance', 'instance.id', 'proof.instance_id')
    .select(['proof.instance_id', 'proof.time', 'proof.medium', 'proof.by', 'proof.outcome'])
    .where('instance.file_name', '=', name)
    .where('proof.id', '=', ({ selectFrom }) =>
      selectFrom('proof as other')
        .select('other.id')
        .whereRef('other.instance_id', '=', 'proof.instance_id')
        .orderBy('other.time', 'desc')
        .orderBy('other.id', 'desc')
        .limit(1),
    )
    .execute()
}

async function lastRemoteProofs({ sql: db }: Database, name: string): Promise<LastRemoteProof[]> {
  const rows = await db
    .selectFrom('remote_proof')
    .select(['librarian_id', 'store_id', 'time', 'medium', 'outcome'])
    .where('file_name', '=', name)
    .orderBy('time', 'desc')
    .orderBy('id', 'desc')
    .limit(1000)
    .execute()
  const last = Map.groupBy(rows, ({ librarian_id, store_id }) => `${librarian_id} ${store_id}`)
  return [...last.values()].map(([first]) => first!)
}

const lastTime = sql<Instant>`coalesce(end_time, start_time)`

async function movesIn({ sql: db }: Database, name: string): Promise<Move[]> {
  const rows = await db
    .selectFrom('incoming_transfer')
    .select([lastTime.as('time'), 'status', 'source as other', 'source_transfer_id', 'reason'])
    .where('store_path', '=', name)
    .orderBy('id', 'desc')
    .limit(MOST)
    .execute()
  return rows.map(({ source_transfer_id, ...row }) => ({ ...row, kind: 'in', isClone: source_transfer_id !== null }))
}

async function movesOut({ sql: db }: Database, name: string): Promise<Move[]> {
  const rows = await db
    .selectFrom('outgoing_transfer')
    .select([lastTime.as('time'), 'status', 'destination as other', 'reason'])
    .where('file_name', '=', name)
    .orderBy('id', 'desc')
    .limit(MOST)
    .execute()
  return rows.map(row => ({ ...row, kind: 'out', isClone: true }))
}

async function movesBetween({ sql: db }: Database, name: string): Promise<Move[]> {
  const rows = await db
    .selectFrom('clone_transfer')
    .innerJoin('store as source', 'source.id', 'source_store_id')
    .innerJoin('store as destination', 'destination.id', 'destination_store_id')
    .select([lastTime.as('time'), 'status', 'reason', 'source.name as from', 'destination.name as to'])
    .where('file_name', '=', name)
    .orderBy('clone_transfer.id', 'desc')
    .limit(MOST)
    .execute()
  return rows.map(({ from, to, ...row }) => ({ ...row, kind: 'between', other: `${from} → ${to}`, isClone: true }))
}

function readingsHere({ sql: db }: Database, name: string): Promise<Reading[]> {
  return db
    .selectFrom('proof')
    .innerJoin('store', 'store.id', 'proof.store_id')
    .select(['proof.time', 'proof.by', 'proof.medium', 'proof.outcome', 'store.name as where'])
    .where('proof.file_name', '=', name)
    .orderBy('proof.time', 'desc')
    .limit(MOST)
    .execute()
}

async function readingsElsewhere({ sql: db }: Database, name: string): Promise<Reading[]> {
  const rows = await db
    .selectFrom('remote_proof')
    .leftJoin('peer', 'peer.id', 'remote_proof.librarian_id')
    .select(['remote_proof.time', 'remote_proof.medium', 'remote_proof.outcome', 'peer.name'])
    .where('remote_proof.file_name', '=', name)
    .orderBy('remote_proof.time', 'desc')
    .limit(MOST)
    .execute()
  return rows.map(({ name: peer, ...row }) => ({ ...row, by: peer ?? '', where: peer ?? '' }))
}

function removals({ sql: db }: Database, name: string): Promise<Removal[]> {
  return db
    .selectFrom('trash')
    .innerJoin('store', 'store.id', 'trash.store_id')
    .select(['trash.trashed as time', 'trash.actor', 'trash.reason', 'trash.state', 'store.name as store'])
    .where('trash.file_name', '=', name)
    .orderBy('trash.trashed', 'desc')
    .limit(MOST)
    .execute()
}
