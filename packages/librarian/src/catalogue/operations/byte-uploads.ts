/** Uploads whose bytes come over HTTP: what is known of them besides their transfer. */
import type { Selectable } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import type { DeletionPolicy, IncomingTransferTable } from '../schema.ts'

export const byteUploads = {
  /** Bytes are coming, now by the database's clock: it is no longer one that was only announced. False: it is not open any more. */
  note: write<{ id: number; data: string }, boolean>(async ({ sql, dialect }, { id, data }) => {
    const { numUpdatedRows } = await sql
      .updateTable('incoming_transfer')
      .set({ status: 'ONGOING', active_time: dialect.now(), transfer_data: data })
      .where('id', '=', id)
      .where('status', 'in', ['INITIATED', 'ONGOING'])
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }),

  /** What is to be done with it when all bytes are there. */
  setPolicy: write<{ id: number; deletionPolicy: DeletionPolicy; data: string }, void>(
    async ({ sql }, { id, deletionPolicy, data }) => {
      await sql
        .updateTable('incoming_transfer')
        .set({ deletion_policy: deletionPolicy, transfer_data: data })
        .where('id', '=', id)
        .where('status', 'in', ['INITIATED', 'ONGOING'])
        .execute()
    },
  ),

  /** Uploads under way, for those who look which of them nobody goes on with. */
  ongoing: read<{ after: number; limit: number }, Selectable<IncomingTransferTable>[]>(({ sql }, { after, limit }) =>
    ongoing(sql, after, limit),
  ),
}

function ongoing(sql: Database['sql'], after: number, limit: number): Promise<Selectable<IncomingTransferTable>[]> {
  return sql
    .selectFrom('incoming_transfer')
    .selectAll()
    .where('status', '=', 'ONGOING')
    .where('source_transfer_id', 'is', null)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
}
