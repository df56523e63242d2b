/** Announcing clones (librarian 10.3): all of a call, or none. */
import { type RawBuilder, sql } from 'kysely'
import { findObstacles } from '../../nested-names.ts'
import type { Database } from '../../operation.ts'
import { rowSet } from '../../row-set.ts'
import { type ExpectedAt, expectTransfer, findExpected } from '../replacements.ts'
import { endOpen, type IncomingTransfer, insertTransfers, openStores, type RoomyStore } from '../uploads.ts'

export interface NewClone {
  readonly name: string
  readonly uploadName: string
  readonly size: number
  readonly checksum: string
  /** The account that announces it. */
  readonly account: string
  /** The librarian that sends it. */
  readonly source: string
  readonly firstUploader: string | null
  /** Negative: it has none at the sender. */
  readonly sourceTransferId: number
  /** UUID of the staging directory. */
  readonly stagingId: string
  /** 128 random bits in hex. */
  readonly token: string
}

export interface StageClones {
  readonly clones: readonly NewClone[]
  /** In the order in which they are chosen. */
  readonly stores: readonly RoomyStore[]
  /** Where nothing new may land: a bad copy is replaced there all the same. */
  readonly closedStores?: readonly RoomyStore[] | undefined
  /** Bytes of all, as the sender says. */
  readonly total: number
  /** Stores to which nobody else brings bytes: nothing that goes there has a staging directory. Default: none. */
  readonly unstaged?: readonly number[] | undefined
}

/** Why a clone cannot be announced now; a transfer that stands in its way is named where there is one. */
export interface Repeated {
  readonly sourceTransferId: number
  readonly code: 'TransferOngoing' | 'FileExists' | 'TransferReplaced'
  readonly transferId: number | undefined
}

export type StageClonesOutcome =
  | { readonly outcome: 'no-room' }
  | {
      readonly outcome: 'repeated'
      readonly repeated: readonly Repeated[]
      readonly ended: readonly IncomingTransfer[]
    }
  | {
      readonly outcome: 'staged'
      /** In the order of the call. */
      readonly transfers: readonly IncomingTransfer[]
      readonly storeId: number
      /** What the store has left after all that is announced to it, these too. */
      readonly free: number
      /** Earlier ones under the same number of the sender: their staging may go. */
      readonly ended: readonly IncomingTransfer[]
    }

export async function stageClones(
  database: Database,
  { clones, stores, closedStores = [], total, unstaged = [] }: StageClones,
): Promise<StageClonesOutcome> {
  const size = Math.max(
    total,
    clones.reduce((sum, clone) => sum + clone.size, 0),
  )
  const { repeated, stale, replaced } = await findRepeated(database, clones)
  const storeId = replaced.values().next().value?.storeId
  const open = await openStores(database, storeId === undefined ? stores : [...stores, ...closedStores])
  const place = open.find(({ id, free }) => free > size && (storeId === undefined || id === storeId))
  if (!place) return { outcome: 'no-room' }
  const reason = 'replaced: its sender has announced it again'
  const ended = await endOpen(database, { ids: stale, status: 'FAILED', reason })
  if (repeated.length > 0) return { outcome: 'repeated', repeated, ended }
  const renumbered = await endRenumbered(database, clones)
  if (renumbered.busy.length > 0) return { outcome: 'repeated', repeated: renumbered.busy, ended: renumbered.ended }
  const rows = await insertTransfers(
    database,
    clones.map(clone => ({
      ...rowOf(clone, place.id, replaced.get(clone.name)?.instanceId ?? null),
      ...(unstaged.includes(place.id) ? { staging_path: null } : {}),
    })),
  )
  const byToken = new Map(rows.map(row => [row.token, row]))
  for (const { id, replaces_instance_id } of rows) {
    if (replaces_instance_id !== null) await expectTransfer(database, replaces_instance_id, id)
  }
  return {
    outcome: 'staged',
    transfers: clones.map(({ token }) => byToken.get(token)!),
    storeId: place.id,
    free: place.free - size,
    ended: renumbered.ended,
  }
}

function rowOf(clone: NewClone, storeId: number, replaces: number | null) {
  return {
    status: 'INITIATED',
    uploader: clone.account,
    upload_name: clone.uploadName,
    source: clone.source,
    transfer_size: clone.size,
    transfer_checksum: clone.checksum,
    store_id: storeId,
    staging_path: clone.stagingId,
    store_path: clone.name,
    token: clone.token,
    reason: null,
    source_transfer_id: clone.sourceTransferId,
    first_uploader: clone.firstUploader,
    replaces_instance_id: replaces,
  } as const
}

interface Met {
  readonly repeated: Repeated[]
  /** Transfers of the same sender that wait for bytes, or lie unverified; this announcement ends them. */
  readonly stale: number[]
  /** Bad copies that these are to take the place of, by name: all on one store. */
  readonly replaced: Map<string, ExpectedAt>
}

async function findRepeated(database: Database, clones: readonly NewClone[]): Promise<Met> {
  const names = clones.map(({ name }) => name)
  const obstacles = await findObstacles(database, 'file', names)
  const earlier = Map.groupBy(await earlierOf(database, clones), ({ store_path }) => store_path)
  const repeated: Repeated[] = []
  const stale: number[] = []
  const replaced = new Map<string, ExpectedAt>()
  for (const clone of clones) {
    const { sourceTransferId, name, checksum, source, account } = clone
    const same = (earlier.get(name) ?? []).filter(({ transfer_checksum }) => transfer_checksum === checksum)
    // Whoever else sends the same is waited for while its bytes come; what only waits for them is none of this sender's business.
    const ongoing = same.find(({ status, is_committed, source_transfer_id }) => {
      return is_committed > 0 || (status === 'ONGOING' && source_transfer_id !== null)
    })
    const own = same.filter(one => one.source === source || one.uploader === account)
    if (obstacles.has(name)) {
      const expected = await findExpected(database, { fileName: name, librarian: source, size: clone.size, checksum })
      const { storeId = expected?.storeId } = replaced.values().next().value ?? {}
      if (expected && expected.storeId === storeId) {
        replaced.set(name, expected)
        continue
      }
      // It came another way: with what this sender had announced before, nobody will go on, unless it is for a bad copy's place.
      const passed = own.filter(one => one.is_committed === 0 && one.replaces_instance_id === null)
      stale.push(...passed.map(({ id }) => id))
      repeated.push({ sourceTransferId, code: 'FileExists', transferId: undefined })
    } else if (ongoing) repeated.push({ sourceTransferId, code: 'TransferOngoing', transferId: ongoing.id })
    else if (own.length > 0) {
      stale.push(...own.map(({ id }) => id))
      repeated.push({ sourceTransferId, code: 'TransferReplaced', transferId: own[0]!.id })
    }
  }
  return { repeated, stale, replaced }
}

type Earlier = IncomingTransfer & { readonly is_committed: number }

async function earlierOf({ sql: db, dialect }: Database, clones: readonly NewClone[]): Promise<Earlier[]> {
  const again = rowSet(
    dialect,
    { name: 'text', checksum: 'text' },
    clones.map(({ name, checksum }) => ({ name, checksum })),
  )
  // A cross join, so that SQLite asks by name for each of them instead of going through all that are open.
  const { rows } = await sql<Earlier>`
    SELECT earlier.*, ${isCommitted} AS is_committed FROM ${again} AS again
    CROSS JOIN incoming_transfer AS earlier
    WHERE earlier.store_path = again.name AND earlier.transfer_checksum = again.checksum
      AND earlier.status IN ('INITIATED','ONGOING','STAGED')
    ORDER BY earlier.id`.execute(db)
  return rows.map(row => ({ ...row, is_committed: Number(row.is_committed) }))
}

const isCommitted: RawBuilder<number> = sql<number>`
  (SELECT COUNT(*) FROM intent WHERE intent.incoming_transfer_id = earlier.id)`

/** A sender whose catalogue is an older one gives numbers again: the transfers that had them will never come. */
async function endRenumbered(
  database: Database,
  clones: readonly NewClone[],
): Promise<{ ended: IncomingTransfer[]; busy: Repeated[] }> {
  const { sql: db, dialect } = database
  const numbered = rowSet(
    dialect,
    { source: 'text', number: 'integer' },
    clones.flatMap(({ source, sourceTransferId: number }) => (number >= 0 ? [{ source, number }] : [])),
  )
  const { rows } = await sql<Earlier>`
    SELECT earlier.*, ${isCommitted} AS is_committed FROM ${numbered} AS numbered
    CROSS JOIN incoming_transfer AS earlier
    WHERE earlier.source = numbered.source AND earlier.source_transfer_id = numbered.number
      AND earlier.source_transfer_id >= 0 AND earlier.status IN ('INITIATED','ONGOING','STAGED')`.execute(db)
  const busy = rows.filter(({ is_committed }) => Number(is_committed) > 0)
  const ids = rows.filter(row => !busy.includes(row)).map(({ id }) => id)
  const reason = 'replaced: its sender has announced another file under the same number'
  return {
    ended: await endOpen(database, { ids, status: 'FAILED', reason }),
    busy: busy.map(({ id, source_transfer_id }) => {
      return { sourceTransferId: source_transfer_id!, code: 'TransferOngoing', transferId: id }
    }),
  }
}
