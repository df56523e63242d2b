/** Transfers of copies that are carried to another librarian: they are under way from the moment they are written. */
import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { Database } from '../operation.ts'
import type { Schema } from '../schema.ts'
import { isOpen } from './outgoing-states.ts'

export interface CarriedCopies {
  /** Name of the librarian. */
  readonly destination: string
  /** Numbers of the copies. */
  readonly copies: SelectQueryBuilder<Schema, never, { id: number | null }>
  /** Of which one open transfer to it is enough: of each copy, or of each file, whichever copy it is of. */
  readonly oneOf: 'copy' | 'file'
}

/** One for each that has none open, in the order of the copies' numbers. */
export async function openOutgoing(
  { sql: db, dialect }: Database,
  { destination, copies, oneOf }: CarriedCopies,
): Promise<void> {
  // The name too: it has the index, and a store of millions is gone through once.
  const sameCopy = oneOf === 'copy' ? sql`AND outgoing_transfer.instance_id = instance.id` : sql``
  await sql`
    INSERT INTO outgoing_transfer
      (status, destination, transfer_size, transfer_checksum, start_time, file_name, instance_id, source_path)
    SELECT 'ONGOING', CAST(${destination} AS text), file.size, file.checksum, ${dialect.now()}, file.name, instance.id,
      instance.path
    FROM ${copies} AS carried
    JOIN instance ON instance.id = carried.id
    JOIN file ON file.name = instance.file_name
    WHERE NOT EXISTS (${openTo(destination)} AND outgoing_transfer.file_name = instance.file_name ${sameCopy})
    ORDER BY instance.id`.execute(db)
}

/** Open transfers of the file of the row around it. */
export function hasOpenTo(destination: string): RawBuilder<boolean> {
  return sql<boolean>`EXISTS (${openTo(destination)} AND outgoing_transfer.file_name = file.name)`
}

function openTo(destination: string) {
  return sql`SELECT 1 FROM outgoing_transfer WHERE outgoing_transfer.destination = ${destination} AND ${isOpen}`
}
