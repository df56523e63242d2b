/** Disks that are carried, and what is on them (reliability G4). */
import { LibrarianError } from '@arriero/api/errors'
import type { Selectable } from 'kysely'
import { pageLimit } from '../limits.ts'
import { type Database, read } from '../operation.ts'
import type { DiskItemTable, DiskTable, TransferStatus } from '../schema.ts'

export type Disk = Selectable<DiskTable>

export interface CountedDisk extends Disk {
  readonly in_transit: number
  readonly arrived: number
  readonly confirmed: number
  readonly failed: number
}

export interface DiskItem extends Selectable<DiskItemTable> {
  /** Null: the file is not known here. */
  readonly size: number | null
  readonly transfer_status: TransferStatus | null
}

export const disks = {
  find: read<{ id: string }, Disk | undefined>((database, { id }) => findDisk(database, id)),

  /** Newest first. */
  list: read<{ id?: string | undefined; limit: number }, CountedDisk[]>(async (database, { id, limit }) => {
    const { sql } = database
    let query = sql.selectFrom('disk').selectAll()
    if (id !== undefined) query = query.where('id', '=', id)
    const rows = await query.orderBy('created', 'desc').orderBy('id').limit(pageLimit(limit)).execute()
    const counted: CountedDisk[] = []
    for (const row of rows) counted.push({ ...row, ...(await countsOf(database, row)) })
    return counted
  }),

  /** By name. */
  items: read<{ id: string; after?: string | undefined; limit: number }, DiskItem[]>(
    async ({ sql }, { id, after, limit }) => {
      let query = sql
        .selectFrom('disk_item')
        .innerJoin('disk', 'disk.id', 'disk_item.disk_id')
        .leftJoin('file', 'file.name', 'disk_item.file_name')
        // Of a disk that came, the number is the other librarian's.
        .leftJoin('outgoing_transfer', join =>
          join.onRef('outgoing_transfer.id', '=', 'disk_item.transfer_id').on('disk.direction', '=', 'out'),
        )
        .selectAll('disk_item')
        .select(['file.size', 'outgoing_transfer.status as transfer_status'])
        .where('disk_item.disk_id', '=', id)
      if (after !== undefined) query = query.where('disk_item.file_name', '>', after)
      return await query.orderBy('disk_item.file_name').limit(pageLimit(limit)).execute()
    },
  ),
}

/** Part of other operations. @throws NotFound */
export async function requireDisk(
  database: Database,
  id: string,
  direction: Disk['direction'],
  states?: readonly Disk['state'][],
): Promise<Disk> {
  const disk = await findDisk(database, id)
  if (disk?.direction !== direction) {
    const how = direction === 'out' ? 'packed' : 'read'
    throw new LibrarianError('NotFound', `Cannot find disk ${id}: no disk of this number was ${how} here`)
  }
  if (!states || states.includes(disk.state)) return disk
  throw new LibrarianError(
    'Conflict',
    `Cannot do this with disk ${id}: it must be ${states.join(' or ')}, it is ${disk.state}`,
  )
}

export async function findDisk({ sql }: Database, id: string): Promise<Disk | undefined> {
  return await sql.selectFrom('disk').selectAll().where('id', '=', id).executeTakeFirst()
}

async function countsOf({ sql }: Database, { id, direction, state, files }: Disk) {
  if (direction === 'in') {
    const rows = await sql
      .selectFrom('disk_item')
      .select(['state', eb => eb.fn.countAll<number>().as('count')])
      .where('disk_id', '=', id)
      .groupBy('state')
      .execute()
    const of = (wanted: string) => Number(rows.find(row => row.state === wanted)?.count ?? 0)
    const confirmed = of('done') + of('exists')
    return { in_transit: 0, arrived: Math.max(0, files - confirmed - of('failed')), confirmed, failed: of('failed') }
  }
  const rows = await sql
    .selectFrom('disk_item')
    .innerJoin('outgoing_transfer', 'outgoing_transfer.id', 'disk_item.transfer_id')
    .select(['outgoing_transfer.status', eb => eb.fn.countAll<number>().as('count')])
    .where('disk_item.disk_id', '=', id)
    .groupBy('outgoing_transfer.status')
    .execute()
  const of = (...wanted: string[]) =>
    rows.reduce((sum, row) => sum + (wanted.includes(row.status) ? Number(row.count) : 0), 0)
  const open = of('INITIATED', 'ONGOING', 'STAGED')
  const isThere = state === 'reading' || state === 'read'
  return {
    in_transit: isThere ? 0 : open,
    arrived: isThere ? open : 0,
    confirmed: of('COMPLETED'),
    failed: of('FAILED', 'CANCELLED'),
  }
}
