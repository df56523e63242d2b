/** What upstream librarians were asked to send again, in place of bad copies (librarian 11.9). */
import { type Database, read, write } from '../operation.ts'
import { corruptRowOf } from './corrupt-row.ts'

export const replacements = {
  /** An upstream librarian was asked to send it again, or is not any more. */
  expect: write<{ instanceId: number; transferId: number | null }, void>(
    async (database, { instanceId, transferId }) => await expectTransfer(database, instanceId, transferId),
  ),

  /** Notes a bad copy of whatever state as one that an upstream is asked to replace: only a mismatch has a row by itself. */
  request: write<{ instanceId: number }, void>(async (database, { instanceId }) => {
    const { sql } = database
    const copy = await sql.selectFrom('instance').selectAll().where('id', '=', instanceId).executeTakeFirst()
    if (!copy) return
    const { calculated_checksum, calculated_size } = copy
    const damage = { checksum: calculated_checksum ?? '', size: calculated_size ?? 0, isRequested: true }
    await sql
      .insertInto('corrupt_file')
      .values(await corruptRowOf(database, copy, damage))
      .onConflict(conflict =>
        conflict.column('instance_id').doUpdateSet({ replacement_requested: 1, incoming_transfer_id: null }),
      )
      .execute()
  }),

  /** Copies of a file for which an upstream librarian was asked; with how their transfer stands. */
  expected: read<{ fileName: string }, ExpectedReplacement[]>(
    async ({ sql }, { fileName }) =>
      await sql
        .selectFrom('corrupt_file')
        .leftJoin('incoming_transfer', 'incoming_transfer.id', 'corrupt_file.incoming_transfer_id')
        .innerJoin('instance', 'instance.id', 'corrupt_file.instance_id')
        .select([
          'corrupt_file.instance_id',
          'corrupt_file.file_source',
          'corrupt_file.incoming_transfer_id',
          'instance.store_id',
          'incoming_transfer.status',
        ])
        .where('corrupt_file.file_name', '=', fileName)
        .where('corrupt_file.replacement_requested', '=', 1)
        .orderBy('corrupt_file.id')
        .execute(),
  ),
}

export interface ExpectedReplacement {
  readonly instance_id: number
  /** The librarian that the file came from. */
  readonly file_source: string
  /** Null until the sender has said it. */
  readonly incoming_transfer_id: number | null
  readonly store_id: number
  readonly status: string | null
}

export interface Announced {
  readonly fileName: string
  /** The librarian that sends it. */
  readonly librarian: string
  readonly size: number
  /** As announced, in wire form. */
  readonly checksum: string
}

export interface ExpectedAt {
  /** The bad copy. */
  readonly instanceId: number
  readonly storeId: number
}

/** @param transferId null: nothing is expected any more */
export async function expectTransfer({ sql }: Database, instanceId: number, transferId: number | null): Promise<void> {
  await sql
    .updateTable('corrupt_file')
    .set({ replacement_requested: transferId === null ? 0 : 1, incoming_transfer_id: transferId })
    .where('instance_id', '=', instanceId)
    .execute()
}

/**
 * The bad copy for which its sender was asked to send just this content again, and is not sending it already. Undefined: nobody
 * was asked.
 */
export async function findExpected(
  { sql }: Database,
  { fileName, librarian, size, checksum }: Announced,
): Promise<ExpectedAt | undefined> {
  const row = await sql
    .selectFrom('corrupt_file')
    .innerJoin('file', 'file.name', 'corrupt_file.file_name')
    .innerJoin('instance', 'instance.id', 'corrupt_file.instance_id')
    .leftJoin('incoming_transfer', 'incoming_transfer.id', 'corrupt_file.incoming_transfer_id')
    .select(['corrupt_file.instance_id', 'instance.store_id'])
    .where('corrupt_file.file_name', '=', fileName)
    .where('corrupt_file.file_source', '=', librarian)
    .where('corrupt_file.replacement_requested', '=', 1)
    .where('file.size', '=', size)
    .where('file.checksum', '=', checksum)
    .where('instance.available', '=', 1)
    .where(({ eb, or }) =>
      or([eb('incoming_transfer.status', 'is', null), eb('incoming_transfer.status', 'in', ['FAILED', 'CANCELLED'])]),
    )
    .orderBy('corrupt_file.id')
    .executeTakeFirst()
  return row && { instanceId: row.instance_id, storeId: row.store_id }
}
