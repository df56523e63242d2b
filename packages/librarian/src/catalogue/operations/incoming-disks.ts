/** Disks that came: what became of each file, and what the librarian that sent them is told (reliability G4). */
import { LibrarianError } from '@arriero/api/errors'
import { sql as text } from 'kysely'
import { audited } from '../audited.ts'
import { type Database, read } from '../operation.ts'
import { rowSet } from '../row-set.ts'
import { type Disk, findDisk, requireDisk } from './disks.ts'
import { enqueue } from './outbox.ts'
import { endOpen, type IncomingTransfer } from './uploads.ts'

export interface Arrival {
  readonly id: string
  readonly peer: string
  readonly files: number
  readonly bytes: number
  readonly digest: string
  readonly statement: string
}

/** A file as the disk's list has it. */
export interface CarriedFile {
  readonly name: string
  /** At the librarian that packed it. */
  readonly transferId: number
  readonly size: number
  readonly checksum: string
  readonly sha256: string
  /** Why the disk does not have it as it must be. */
  readonly failure?: string | undefined
}

export interface Settled {
  readonly name: string
  readonly state: 'new' | 'handed-over' | 'done' | 'exists' | 'failed'
  readonly reason: string | null
  /** Digest of what is kept here under its name, where that is another content. */
  readonly kept?: string | undefined
}

export interface SettledPage {
  /** In the order of the call. */
  readonly settled: readonly Settled[]
  /** Transfers that nobody will go on with: their staging may go. */
  readonly ended: readonly IncomingTransfer[]
}

export interface KeptFile {
  readonly name: string
  readonly transfer_id: number
  readonly store_id: number
  readonly size: number
  readonly sha256: string
}

export const incomingDisks = {
  /** A disk that came before comes again only with the very same statement (reliability 6: replayed or swapped). */
  arrive: audited<Arrival, Disk>(async (database, { id, peer, files, bytes, digest, statement }) => {
    const { sql, dialect } = database
    const known = await findDisk(database, id)
    if (known) {
      if (known.direction === 'in' && known.peer === peer && known.statement === statement) return known
      throw new LibrarianError('Conflict', `Cannot take disk ${id}: it is known here with another manifest`, {
        remedy: 'Read the disk as it was packed; a manifest of another disk, or an older one, is not taken.',
      })
    }
    const disk = await sql
      .insertInto('disk')
      .values({
        id,
        direction: 'in',
        peer,
        label: '',
        state: 'reading',
        created: dialect.now(),
        changed: dialect.now(),
        files,
        bytes,
        digest,
        statement,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    await tell(database, disk, 'reading')
    return disk
  }),

  /**
   * What the catalogue says of each. One that was kept before is told to the sender here; of one that came by a transfer the
   * commit has told it. With what an earlier reading of the disk has announced of files that came another way meanwhile, nobody
   * will go on: it ends.
   */
  settle: audited<{ id: string; files: readonly CarriedFile[]; isRead: boolean }, SettledPage>(
    async (database, { id, files, isRead }) => {
      const disk = await requireDisk(database, id, 'in')
      const settled: Settled[] = []
      const passed: CarriedFile[] = []
      for (const file of files) {
        const found = await judge(database, disk, file)
        settled.push({ name: file.name, state: found.state, reason: found.reason, kept: found.kept })
        if (found.state === 'exists') passed.push(file)
        await note(database, disk, file, found)
      }
      const ended = await endPassed(database, disk, passed)
      if (isRead && disk.state === 'reading') {
        const { sql, dialect } = database
        await sql.updateTable('disk').set({ state: 'read', changed: dialect.now() }).where('id', '=', id).execute()
        await tell(database, disk, 'read')
      }
      return { settled, ended }
    },
  ),

  /** Files of the disk that are kept here, by name. Files without a number over there need no receipt. */
  kept: read<{ id: string; after?: string | undefined; limit: number }, KeptFile[]>(
    async (database, { id, after, limit }) => {
      await requireDisk(database, id, 'in')
      let query = database.sql
        .selectFrom('disk_item')
        .innerJoin('file', 'file.name', 'disk_item.file_name')
        .innerJoin('instance', 'instance.file_name', 'file.name')
        .select([
          'file.name',
          'disk_item.transfer_id',
          'file.size',
          'file.sha256',
          eb => eb.fn.min('instance.store_id').as('store_id'),
        ])
        .where('disk_item.disk_id', '=', id)
        .where('disk_item.state', 'in', ['done', 'exists'])
        .where('instance.available', '=', 1)
        .where('disk_item.transfer_id', 'is not', null)
        .where('file.sha256', 'is not', null)
        .groupBy(['file.name', 'disk_item.transfer_id', 'file.size', 'file.sha256'])
      if (after !== undefined) query = query.where('file.name', '>', after)
      const rows = await query.orderBy('file.name').limit(limit).execute()
      return rows.map(row => ({
        name: row.name,
        transfer_id: row.transfer_id ?? 0,
        store_id: Number(row.store_id),
        size: row.size,
        sha256: row.sha256 ?? '',
      }))
    },
  ),
}

interface Judgement extends Omit<Settled, 'name'> {
  /** Where it is kept. */
  readonly storeId?: number | undefined
}

async function judge({ sql }: Database, { peer }: Disk, file: CarriedFile): Promise<Judgement> {
  const kept = await sql
    .selectFrom('file')
    .leftJoin('instance', join => join.onRef('instance.file_name', '=', 'file.name').on('instance.available', '=', 1))
    .select(['file.size', 'file.checksum', 'file.sha256', 'file.source', 'instance.store_id', 'instance.state'])
    .where('file.name', '=', file.name)
    .orderBy('instance.id')
    .execute()
  const [first] = kept
  if (!first) return await underWay(sql, peer, file)
  const isSame =
    first.size === file.size &&
    (first.sha256 === null ? first.checksum === file.checksum : first.sha256 === file.sha256)
  if (!isSame) {
    const kept = digestOf(first)
    const reason = `another content is kept here under this name: ${kept}, the disk has ${digestOf(file)}; nothing was overwritten`
    return { ...failed(reason), kept }
  }
  const copy = kept.find(({ store_id, state }) => store_id !== null && (state === 'ok' || state === 'never-checked'))
  if (!copy) return failed('it is known here, and no good copy of it is in use')
  const came = await sql
    .selectFrom('incoming_transfer')
    .select('id')
    .where('store_path', '=', file.name)
    .where('status', '=', 'COMPLETED')
    .where('source', '=', peer)
    .where('source_transfer_id', '=', file.transferId)
    .executeTakeFirst()
  return { state: came ? 'done' : 'exists', reason: null, storeId: copy.store_id ?? undefined }
}

async function endPassed(
  database: Database,
  { peer }: Disk,
  files: readonly CarriedFile[],
): Promise<IncomingTransfer[]> {
  if (files.length === 0) return []
  const given = rowSet(
    database.dialect,
    { name: 'text', number: 'integer' },
    files.map(({ name, transferId: number }) => ({ name, number })),
  )
  const { rows } = await text<{ id: number }>`
    SELECT earlier.id FROM ${given} AS given CROSS JOIN incoming_transfer AS earlier
    WHERE earlier.store_path = given.name AND earlier.source = ${peer} AND earlier.source_transfer_id = given.number
      AND earlier.replaces_instance_id IS NULL AND earlier.status IN ('INITIATED','ONGOING','STAGED')`.execute(
    database.sql,
  )
  const reason = 'it came another way before the disk was read to its end'
  return await endOpen(database, { ids: rows.map(({ id }) => id), status: 'FAILED', reason })
}

async function underWay(db: Database['sql'], peer: string, file: CarriedFile): Promise<Judgement> {
  const transfer = await db
    .selectFrom('incoming_transfer')
    .select(['status', 'reason', 'source_transfer_id', 'source'])
    .where('store_path', '=', file.name)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (transfer?.status === 'STAGED') return { state: 'handed-over', reason: null }
  if (file.failure !== undefined) return failed(file.failure)
  const isOurs = transfer?.source === peer && transfer.source_transfer_id === file.transferId
  if (isOurs && transfer.status === 'FAILED') return { state: 'new', reason: transfer.reason }
  return { state: 'new', reason: null }
}

/** The strongest that is known. */
export function digestOf({ sha256, checksum }: { sha256: string | null; checksum: string }): string {
  return sha256 === null ? checksum : `sha256:::${sha256}`
}

function failed(reason: string): Judgement {
  return { state: 'failed', reason }
}

async function note(database: Database, disk: Disk, file: CarriedFile, found: Judgement): Promise<void> {
  const state = found.state === 'new' || found.state === 'handed-over' ? 'pending' : found.state
  await database.sql
    .insertInto('disk_item')
    .values({
      disk_id: disk.id,
      file_name: file.name,
      transfer_id: file.transferId,
      instance_id: null,
      state,
      reason: found.reason,
    })
    .onConflict(conflict => conflict.columns(['disk_id', 'file_name']).doUpdateSet({ state, reason: found.reason }))
    .execute()
  if (found.state !== 'exists' || found.storeId === undefined) return
  await enqueue(database, [
    {
      peer: disk.peer,
      call: 'clone/complete',
      body: { source_transfer_id: file.transferId, destination_transfer_id: -1, store_id: found.storeId },
      idempotencyKey: `disk:${disk.id}:${file.transferId}`,
    },
  ])
}

async function tell(database: Database, { id, peer }: Disk, state: 'reading' | 'read'): Promise<void> {
  await enqueue(database, [
    { peer, call: 'sneakernet/heard', body: { disk_id: id, state }, idempotencyKey: `disk:${id}:${state}` },
  ])
}
