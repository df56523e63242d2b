/** Disks that are packed here: what goes onto them, its transfers, and what came of them (reliability G4). */
import { LibrarianError } from '@arriero/api/errors'
import { audited } from '../audited.ts'
import { pageLimit } from '../limits.ts'
import { type Database, read, write } from '../operation.ts'
import type { FileTable } from '../schema.ts'
import { type Disk, findDisk, requireDisk } from './disks.ts'
import { hasOpenTo, openOutgoing } from './open-outgoing.ts'
import { originalUploader } from './original-uploader.ts'

export interface Candidate
  extends Pick<FileTable, 'name' | 'kind' | 'size' | 'checksum' | 'sha256' | 'uploader' | 'create_time'> {
  readonly instance_id: number
  readonly store_name: string
  readonly path: string
}

export interface CandidateSearch {
  readonly destination: string
  readonly store?: string | undefined
  readonly names?: readonly string[] | undefined
  /** The last name of the page before. */
  readonly after?: string | undefined
  readonly limit: number
}

/** A file that the other librarian keeps. */
export interface Confirmed {
  readonly name: string
  readonly transferId: number
  /** The store's number there. */
  readonly storeId: number
}

const open = ['INITIATED', 'ONGOING', 'STAGED'] as const

export const outgoingDisks = {
  /** Goes on with the one that is there. @throws Conflict where it is another librarian's, or ended; where another has its label */
  begin: audited<{ id: string; peer: string; label: string }, Disk>(async (database, { id, peer, label }) => {
    const { sql, dialect } = database
    await demandPeer(database, peer)
    await demandOwnLabel(database, id, label)
    await sql
      .insertInto('disk')
      .values({
        id,
        direction: 'out',
        peer,
        label,
        state: 'packing',
        created: dialect.now(),
        changed: dialect.now(),
        files: 0,
        bytes: 0,
        digest: null,
        statement: null,
      })
      .onConflict(conflict => conflict.column('id').doNothing())
      .execute()
    const disk = await requireDisk(database, id, 'out', ['packing', 'packed'])
    if (disk.peer === peer) return disk
    throw new LibrarianError('Conflict', `Cannot pack disk ${id} for ${peer}: it is being packed for ${disk.peer}`)
  }),

  /**
   * Files with a copy in use that the other librarian lacks, that are on no open transfer to it and on no disk that is being
   * packed; by name.
   */
  candidates: read<CandidateSearch, Candidate[]>(async (database, search) => {
    await demandPeer(database, search.destination)
    if (search.store !== undefined) await demandStore(database, search.store)
    if (search.names?.length === 0) return []
    return candidatesOf(database, search)
  }),

  add: audited<{ id: string; items: readonly { name: string; instanceId: number }[] }, void>(
    async (database, { id, items }) => {
      await requireDisk(database, id, 'out', ['packing', 'packed'])
      if (items.length === 0) return
      await database.sql
        .insertInto('disk_item')
        .values(
          items.map(({ name, instanceId }) => ({
            disk_id: id,
            file_name: name,
            transfer_id: null,
            instance_id: instanceId,
            state: 'pending' as const,
            reason: null,
          })),
        )
        .onConflict(conflict => conflict.columns(['disk_id', 'file_name']).doNothing())
        .execute()
    },
  ),

  /** A transfer for each file that has none open, all in this transaction; then each item knows its own. */
  seal: audited<{ id: string }, Disk>(async (database, { id }) => {
    const { sql, dialect } = database
    const { peer } = await requireDisk(database, id, 'out', ['packing', 'packed'])
    const copies = sql.selectFrom('disk_item').select('instance_id as id').where('disk_id', '=', id)
    await openOutgoing(database, { destination: peer, copies: copies.where('transfer_id', 'is', null), oneOf: 'file' })
    await sql
      .updateTable('disk_item')
      .set(eb => ({
        transfer_id: eb
          .selectFrom('outgoing_transfer')
          .select(each => each.fn.max('outgoing_transfer.id').as('id'))
          .whereRef('outgoing_transfer.file_name', '=', 'disk_item.file_name')
          .where('outgoing_transfer.destination', '=', peer)
          .where('outgoing_transfer.status', 'in', open),
      }))
      .where('disk_id', '=', id)
      .where('transfer_id', 'is', null)
      .execute()
    const sum = await sql
      .selectFrom('disk_item')
      .innerJoin('file', 'file.name', 'disk_item.file_name')
      .select([eb => eb.fn.countAll<number>().as('files'), eb => eb.fn.sum<number | null>('file.size').as('bytes')])
      .where('disk_item.disk_id', '=', id)
      .executeTakeFirstOrThrow()
    return await sql
      .updateTable('disk')
      .set({ files: Number(sum.files), bytes: Number(sum.bytes ?? 0), changed: dialect.now() })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
  }),

  /** Packed. What was signed of the same lists before stays; resolves to the statement that counts. */
  sign: audited<{ id: string; digest: string; statement: string }, string>(
    async (database, { id, digest, statement }) => {
      const disk = await requireDisk(database, id, 'out', ['packing', 'packed'])
      if (disk.digest === digest && disk.statement !== null) return disk.statement
      const { sql, dialect } = database
      await sql
        .updateTable('disk')
        .set({ state: 'packed', digest, statement, changed: dialect.now() })
        .where('id', '=', id)
        .execute()
      return statement
    },
  ),

  /** What the librarian at the far side has told of it; never back to an earlier state. */
  heard: write<{ id: string; peer: string; state: 'reading' | 'read' }, void>(async (database, { id, peer, state }) => {
    const disk = await findDisk(database, id)
    if (disk?.direction !== 'out' || disk.peer !== peer) {
      throw new LibrarianError('NotFound', `Cannot hear of disk ${id}: none of this number was packed for ${peer}`)
    }
    const { sql, dialect } = database
    await sql
      .updateTable('disk')
      .set({ state, changed: dialect.now() })
      .where('id', '=', id)
      .where('state', 'in', state === 'read' ? ['packed', 'reading'] : ['packed'])
      .execute()
  }),

  /** Resolves to how many transfers have failed by it. */
  giveUp: audited<{ id: string }, number>(async (database, { id }) => {
    await requireDisk(database, id, 'out')
    const { sql, dialect } = database
    await sql.updateTable('disk').set({ state: 'given-up', changed: dialect.now() }).where('id', '=', id).execute()
    const failed = await sql
      .updateTable('outgoing_transfer')
      .set({ status: 'FAILED', end_time: dialect.now(), reason: `disk ${id} was given up` })
      .where('id', 'in', eb =>
        eb.selectFrom('disk_item').select('transfer_id').where('disk_id', '=', id).where('transfer_id', 'is not', null),
      )
      .where('status', 'in', open)
      // Those with a number over there go another way as well.
      .where('remote_transfer_id', 'is', null)
      .executeTakeFirst()
    return Number(failed.numUpdatedRows)
  }),

  /** Completes the transfers of files that the other librarian keeps. Resolves to the names that it could not be said of. */
  confirm: audited<{ id: string; peer: string; sender: string; files: readonly Confirmed[] }, string[]>(
    async (database, { id, peer, sender, files }) => {
      const disk = await requireDisk(database, id, 'out')
      if (disk.peer !== peer)
        throw new LibrarianError('Conflict', `Disk ${id} was packed for ${disk.peer}, not ${peer}`)
      const refused: string[] = []
      for (const file of files) if (!(await confirmOne(database, disk, sender, file))) refused.push(file.name)
      return refused
    },
  ),
}

async function confirmOne({ sql, dialect }: Database, disk: Disk, sender: string, file: Confirmed): Promise<boolean> {
  const found = await sql
    .selectFrom('disk_item')
    .innerJoin('outgoing_transfer', 'outgoing_transfer.id', 'disk_item.transfer_id')
    .innerJoin('peer', 'peer.name', 'outgoing_transfer.destination')
    .select(['outgoing_transfer.status', 'peer.id as peerId'])
    .where('disk_item.disk_id', '=', disk.id)
    .where('disk_item.file_name', '=', file.name)
    .where('disk_item.transfer_id', '=', file.transferId)
    .executeTakeFirst()
  if (!found) return false
  // It has ended; the copy over there is one nevertheless.
  const isOpen = open.some(status => status === found.status)
  if (isOpen) {
    await sql
      .updateTable('outgoing_transfer')
      .set({ status: 'COMPLETED', end_time: dialect.now() })
      .where('id', '=', file.transferId)
      .where('status', 'in', open)
      .execute()
  }
  if (found.status === 'FAILED' || found.status === 'CANCELLED') return false
  await sql
    .insertInto('remote_instance')
    .values({
      file_name: file.name,
      store_id: file.storeId,
      librarian_id: found.peerId,
      copy_time: dialect.now(),
      sender,
    })
    .onConflict(conflict => conflict.columns(['file_name', 'librarian_id', 'store_id']).doNothing())
    .execute()
  return true
}

async function candidatesOf(
  { sql }: Database,
  { destination, store, names, after, limit }: CandidateSearch,
): Promise<Candidate[]> {
  let query = sql
    .selectFrom('file')
    .innerJoin('instance', 'instance.file_name', 'file.name')
    .innerJoin('store', 'store.id', 'instance.store_id')
    .select([
      'file.name',
      'file.kind',
      'file.size',
      'file.checksum',
      'file.sha256',
      originalUploader,
      'file.create_time',
      'instance.id as instance_id',
      'store.name as store_name',
      'instance.path',
    ])
    // One copy of each file: the first that may be read.
    .where('instance.id', '=', ({ selectFrom }) => {
      let first = selectFrom('instance as other')
        .innerJoin('store as place', 'place.id', 'other.store_id')
        .select(eb => eb.fn.min('other.id').as('id'))
        .whereRef('other.file_name', '=', 'file.name')
        .where('other.available', '=', 1)
        .where('other.state', 'in', ['ok', 'never-checked'])
      if (store !== undefined) first = first.where('place.name', '=', store)
      return first
    })
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('remote_instance')
            .innerJoin('peer', 'peer.id', 'remote_instance.librarian_id')
            .select('remote_instance.id')
            .whereRef('remote_instance.file_name', '=', 'file.name')
            .where('peer.name', '=', destination),
        ),
      ),
    )
    .where(({ not }) => not(hasOpenTo(destination)))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('disk_item')
            .innerJoin('disk', 'disk.id', 'disk_item.disk_id')
            .select('disk_item.file_name')
            .whereRef('disk_item.file_name', '=', 'file.name')
            .where('disk.peer', '=', destination)
            .where('disk.state', '=', 'packing'),
        ),
      ),
    )
  if (names !== undefined) query = query.where('file.name', 'in', names)
  if (after !== undefined) query = query.where('file.name', '>', after)
  return await query.orderBy('file.name').limit(pageLimit(limit)).execute()
}

async function demandPeer({ sql }: Database, name: string): Promise<void> {
  const peer = await sql.selectFrom('peer').select('id').where('name', '=', name).executeTakeFirst()
  if (!peer) throw new LibrarianError('UnknownLibrarian', `Cannot send to ${name}: there is no such librarian`)
}

/** A disk that was read at the far side, or will not arrive, gives its label free. */
async function demandOwnLabel({ sql }: Database, id: string, label: string): Promise<void> {
  if (label === '') return
  const other = await sql
    .selectFrom('disk')
    .select(['id', 'peer', 'state'])
    .where('direction', '=', 'out')
    .where('label', '=', label)
    .where('id', '<>', id)
    .where('state', 'in', ['packing', 'packed', 'reading'])
    .executeTakeFirst()
  if (!other) return
  const message = `Cannot pack a disk with the label ${label}: disk ${other.id} for ${other.peer} has it, and is ${other.state}`
  throw new LibrarianError('Conflict', message, {
    remedy: `Choose another label; or say that the other one will not arrive: arriero sneakernet give-up ${other.id}.`,
  })
}

async function demandStore({ sql }: Database, name: string): Promise<void> {
  const store = await sql.selectFrom('store').select('id').where('name', '=', name).executeTakeFirst()
  if (!store) throw new LibrarianError('UnknownStore', `Cannot pack from the store ${name}: there is no such store`)
}
