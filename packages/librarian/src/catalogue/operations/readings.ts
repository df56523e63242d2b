/** What reading copies has shown (reliability C1, C2). */
import type { Instant } from '@arriero/api'
import { type Selectable, sql as text } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import { rowSet } from '../row-set.ts'
import type { CopyState, FileTable, InstanceTable } from '../schema.ts'
import { corruptRowOf } from './corrupt-row.ts'

/** What one full read of a copy found. */
export interface NewReading {
  readonly instanceId: number
  readonly outcome: CopyState
  readonly medium: 'medium' | 'cache'
  readonly sha256: string | null
  readonly size: number | null
  /** Wire form, by the function of the recorded checksum. */
  readonly checksum: string | null
  readonly fingerprint: string | null
}

/** What the last reading of a copy may have shown that somebody must look at. */
export const badStates = ['mismatch', 'missing', 'unreadable'] as const satisfies CopyState[]

export interface UncheckedCopy {
  readonly file: Pick<FileTable, 'name' | 'kind' | 'size' | 'checksum' | 'sha256'>
  readonly instance: { readonly id: number; readonly store_id: number }
}

export const readings = {
  /**
   * Records full reads, in one transaction: a dated proof each, the copy's state, the cached checksum, and the row by which
   * a damaged copy is known and repaired (librarian 3.13), by instance. A later good read of the same copy ends that row. A
   * disk that is not there says nothing about the copy, whose state stays (B4).
   */
  record: write<{ by: string; readings: readonly NewReading[] }, void>(async (database, { by, readings: found }) => {
    const isManyGood = found.length > 1 && found.every(({ outcome }) => outcome === 'ok')
    if (isManyGood) return await recordGood(database, by, found)
    for (const reading of found) await recordReading(database, by, reading)
  }),

  /** Copies that nobody has read yet, by number: those after `after`. */
  unchecked: read<{ after: number; limit: number }, UncheckedCopy[]>(async ({ sql }, { after, limit }) => {
    const rows = await sql
      .selectFrom('instance')
      .innerJoin('file', 'file.name', 'instance.file_name')
      .select([
        'instance.id',
        'instance.store_id',
        'file.name',
        'file.kind',
        'file.size',
        'file.checksum',
        'file.sha256',
      ])
      // Both, because only the index of those that are not ok finds them among millions.
      .where('instance.state', '<>', 'ok')
      .where('instance.state', '=', 'never-checked')
      .where('instance.available', '=', 1)
      .where('instance.id', '>', after)
      .orderBy('instance.id')
      .limit(limit)
      .execute()
    return rows.map(({ id, store_id, ...file }) => ({ file, instance: { id, store_id } }))
  }),

  /** Copies in use that are known to be bad. */
  countBad: read<void, Record<(typeof badStates)[number], number>>(async ({ sql }) => {
    const rows = await sql
      .selectFrom('instance')
      .select(['state', ({ fn }) => fn.countAll().as('count')])
      // Both, as above.
      .where('state', '<>', 'ok')
      .where('state', 'in', badStates)
      .where('available', '=', 1)
      .groupBy('state')
      .execute()
    const counts = new Map(rows.map(({ state, count }) => [state, Number(count)]))
    const [mismatch, missing, unreadable] = badStates.map(state => counts.get(state) ?? 0)
    return { mismatch: mismatch!, missing: missing!, unreadable: unreadable! }
  }),

  /** When a copy was first found bad after it was last found good; undefined: it was not. */
  badSince: read<{ instanceId: number }, Instant | undefined>(async ({ sql }, { instanceId }) => {
    const good = await sql
      .selectFrom('proof')
      .select(({ fn }) => fn.max('id').as('id'))
      .where('instance_id', '=', instanceId)
      .where('outcome', '=', 'ok')
      .executeTakeFirst()
    const row = await sql
      .selectFrom('proof')
      .select('time')
      .where('instance_id', '=', instanceId)
      .where('outcome', 'in', badStates)
      .where('id', '>', good?.id ?? 0)
      .orderBy('id')
      .executeTakeFirst()
    return row?.time
  }),
}

const goodColumns = {
  instance_id: 'integer',
  medium: 'text',
  sha256: 'text',
  size: 'integer',
  checksum: 'text',
  fingerprint: 'text',
} as const

/** As a scrub finds thousands a second: a few statements for all. */
async function recordGood({ sql, dialect }: Database, by: string, found: readonly NewReading[]): Promise<void> {
  const now = dialect.now()
  const rows = found.map(({ instanceId, outcome: _, ...reading }) => ({ instance_id: instanceId, ...reading }))
  const good = rowSet(dialect, goodColumns, rows)
  await text`
    INSERT INTO proof (instance_id, file_name, store_id, time, medium, "by", outcome, sha256, size)
    SELECT instance.id, instance.file_name, instance.store_id, ${now}, good.medium, ${by}, 'ok', good.sha256, good.size
    FROM instance JOIN ${good} AS good ON good.instance_id = instance.id`.execute(sql)
  await text`
    UPDATE instance SET state = 'ok', calculated_checksum = good.checksum, calculated_size = good.size,
      checksum_time = ${now}, fingerprint = good.fingerprint
    FROM ${good} AS good WHERE good.instance_id = instance.id`.execute(sql)
  // Nearly always there is none at all.
  const corrupt = await sql.selectFrom('corrupt_file').select('id').limit(1).executeTakeFirst()
  if (!corrupt) return
  await text`
    DELETE FROM corrupt_file WHERE instance_id IN (SELECT good.instance_id FROM ${good} AS good)`.execute(sql)
}

async function recordReading({ sql, dialect }: Database, by: string, reading: NewReading): Promise<void> {
  const { instanceId, outcome, medium, sha256, size, checksum, fingerprint } = reading
  const copy = await sql.selectFrom('instance').selectAll().where('id', '=', instanceId).executeTakeFirst()
  // Gone meanwhile: there is nothing that this could be said of.
  if (!copy) return
  const { file_name, store_id } = copy
  await sql
    .insertInto('proof')
    .values({ instance_id: instanceId, file_name, store_id, time: dialect.now(), medium, by, outcome, sha256, size })
    .execute()
  if (outcome === 'unavailable') return
  const isRead = outcome === 'ok' || outcome === 'mismatch'
  await sql
    .updateTable('instance')
    .set({
      state: outcome,
      ...(isRead
        ? { calculated_checksum: checksum, calculated_size: size, checksum_time: dialect.now(), fingerprint }
        : { calculated_checksum: null, calculated_size: null, checksum_time: dialect.now() }),
    })
    .where('id', '=', instanceId)
    .execute()
  if (outcome === 'ok') await sql.deleteFrom('corrupt_file').where('instance_id', '=', instanceId).execute()
  if (outcome === 'mismatch') await countCorrupt({ sql, dialect }, copy, checksum ?? '', size ?? 0)
}

async function countCorrupt(
  database: Database,
  copy: Selectable<InstanceTable>,
  checksum: string,
  size: number,
): Promise<void> {
  await database.sql
    .insertInto('corrupt_file')
    .values(await corruptRowOf(database, copy, { checksum, size, isRequested: false }))
    .onConflict(conflict =>
      conflict.column('instance_id').doUpdateSet(eb => ({ count: eb('corrupt_file.count', '+', 1), checksum, size })),
    )
    .execute()
}
