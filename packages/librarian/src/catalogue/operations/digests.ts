/**
 * SHA-256 of files that came without one, from another librarian's database: known from the first reading that matched what their
 * sender said, and never changed then (reliability A7).
 */
import type { Instant } from '@arriero/api'
import type { Selectable } from 'kysely'
import { type Database, write } from '../operation.ts'
import type { FileTable, InstanceTable } from '../schema.ts'
import { takeNumbers } from '../trail-order.ts'

export interface FirstDigest {
  readonly name: string
  readonly sha256: string
  /** Of a tree. */
  readonly manifest: string | undefined
}

/** A file without a digest, with those of its copies that are in use. */
export interface UndigestedFile {
  readonly file: Selectable<FileTable>
  readonly copies: readonly UndigestedCopy[]
}

export interface UndigestedCopy extends Pick<Selectable<InstanceTable>, 'store_id' | 'deletion_policy'> {
  /** Of its line in the trail. */
  readonly order: number
}

export const digests = {
  /**
   * Those of these files that still have none. A copy that somebody deletes is left out, and one whose deletion begins later
   * takes a greater number: so no line of a trail says that it is kept after the one that says that it went.
   */
  begin: write<{ names: readonly string[] }, { time: Instant; files: UndigestedFile[] }>(
    async (database, { names }) => {
      const { sql, dialect } = database
      const { time } = await sql.selectNoFrom(dialect.now().as('time')).executeTakeFirstOrThrow()
      if (names.length === 0) return { time, files: [] }
      const files = await sql
        .selectFrom('file')
        .selectAll()
        .where('name', 'in', names)
        .where('sha256', 'is', null)
        .execute()
      const copies = await copiesOf(
        database,
        files.map(({ name }) => name),
      )
      const byName = Map.groupBy(copies, ({ file_name }) => file_name)
      return { time, files: files.map(file => ({ file, copies: byName.get(file.name) ?? [] })) }
    },
  ),

  /** After the lines are durable. What has a digest by now keeps it. */
  finish: write<{ files: readonly FirstDigest[] }, void>(async (database, { files }) => {
    for (const file of files) await fillDigest(database, file)
  }),
}

async function copiesOf(database: Database, names: readonly string[]) {
  if (names.length === 0) return []
  const copies = await database.sql
    .selectFrom('instance')
    .select(['file_name', 'store_id', 'deletion_policy'])
    .where('file_name', 'in', names)
    .where('available', '=', 1)
    .orderBy('id')
    .execute()
  const orders = await takeNumbers(database, copies.length)
  return copies.map((copy, at) => ({ ...copy, order: orders[at]! }))
}

export async function fillDigest({ sql }: Database, { name, sha256, manifest }: FirstDigest): Promise<void> {
  const { numUpdatedRows } = await sql
    .updateTable('file')
    .set({ sha256 })
    .where('name', '=', name)
    .where('sha256', 'is', null)
    .executeTakeFirst()
  if (numUpdatedRows === 0n || manifest === undefined) return
  await sql
    .insertInto('tree')
    .values({ file_name: name, manifest })
    .onConflict(conflict => conflict.column('file_name').doNothing())
    .execute()
}
