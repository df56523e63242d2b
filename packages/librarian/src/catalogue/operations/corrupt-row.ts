/** The row by which a damaged copy is known (librarian 3.13), whoever writes it. */
import type { Selectable } from 'kysely'
import type { Database } from '../operation.ts'
import type { Bit, InstanceTable } from '../schema.ts'

export interface Damage {
  /** Wire form, as it was read; empty where nothing could be. */
  readonly checksum: string
  readonly size: number
  readonly isRequested: boolean
}

export async function corruptRowOf(
  { sql, dialect }: Database,
  { id, file_name, path }: Pick<Selectable<InstanceTable>, 'id' | 'file_name' | 'path'>,
  { checksum, size, isRequested }: Damage,
) {
  const file = await sql.selectFrom('file').select('source').where('name', '=', file_name).executeTakeFirstOrThrow()
  const replacement_requested: Bit = isRequested ? 1 : 0
  return {
    file_name,
    file_source: file.source,
    instance_id: id,
    instance_path: path,
    corrupt_time: dialect.now(),
    size,
    checksum,
    count: 1,
    replacement_requested,
    incoming_transfer_id: null,
  }
}
