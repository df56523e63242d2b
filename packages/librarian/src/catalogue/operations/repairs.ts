/**
 * Repairs of bad copies (reliability B5), each a row: it says what a killed process had begun, and afterwards what lies in the
 * quarantine, from which copy it came, and since when. Rows are never removed.
 *
 *   begun       the good bytes are being fetched and verified beside the bad ones
 *   replacing   they are verified, and take the name; the bad ones are in the quarantine from now on
 *   done        the copy is good again   ·   failed   nothing was changed
 *   purging     the quarantine is being emptied, after its time   ·   purged   it is empty
 */
import { LibrarianError } from '@arriero/api/errors'
import type { Selectable } from 'kysely'
import { type Database, read, write } from '../operation.ts'
import type { CopyState, RepairTable } from '../schema.ts'
import { appendAudit } from './audit.ts'
import { badStates } from './readings.ts'

export type Repair = Selectable<RepairTable>

export interface BeginRepair {
  /** 32 hex digits: of the private copy, the spool, and the quarantine. */
  readonly id: string
  readonly holder: string
  readonly instanceId: number
  readonly actor: string
  /** What the reading just before has found. */
  readonly found: CopyState
}

export interface Held {
  readonly id: string
  readonly holder: string
}

export interface FinishRepair extends Held {
  /** Of proofs: this librarian. */
  readonly by: string
  readonly checksum: string
  readonly size: number
  readonly sha256: string
  readonly fingerprint: string
}

export interface BadCopy {
  readonly id: number
  readonly file_name: string
  readonly store_id: number
  readonly path: string
  readonly state: CopyState
}

const live = ['begun', 'replacing'] as const

export const repairs = {
  /** @throws LibrarianError `NotFound`, `Busy`: the copy is going, or being repaired */
  begin: write<BeginRepair, Repair>(async (database, { id, holder, instanceId, actor, found }) => {
    const { sql, dialect } = database
    const copies = sql.selectFrom('instance').selectAll().where('id', '=', instanceId)
    const copy = await copies.where('available', '=', 1).executeTakeFirst()
    if (!copy) throw new LibrarianError('NotFound', `Cannot repair copy ${instanceId}: there is none in use`)
    await demandNotRepaired(database, instanceId, `repair ${copy.path}`)
    const { file_name, store_id, path } = copy
    const of = { instance_id: instanceId, file_name, store_id, path }
    return await sql
      .insertInto('repair')
      .values({
        id,
        state: 'begun',
        holder,
        ...of,
        found,
        source: null,
        sha256: null,
        actor,
        started: dialect.now(),
        ended: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
  }),

  /** The good bytes are verified; from here it goes forward. False: it is not this process's any more. */
  replacing: write<Held & { source: string; sha256: string }, boolean>(
    async ({ sql }, { id, holder, source, sha256 }) => {
      const ours = sql.updateTable('repair').set({ state: 'replacing', source, sha256 }).where('id', '=', id)
      const done = await ours.where('holder', '=', holder).where('state', '=', 'begun').executeTakeFirst()
      return done.numUpdatedRows === 1n
    },
  ),

  /** The name has the good bytes: the copy is good by the reading that was made of them before, and no longer known as bad. */
  finish: write<FinishRepair, boolean>(async (database, repaired) => {
    const { id, holder, by, checksum, size, sha256, fingerprint } = repaired
    const { sql, dialect } = database
    const ours = sql.updateTable('repair').set({ state: 'done', ended: dialect.now() }).where('id', '=', id)
    const repair = await ours
      .where('holder', '=', holder)
      .where('state', '=', 'replacing')
      .returningAll()
      .executeTakeFirst()
    if (!repair) return false
    const { instance_id, file_name, store_id } = repair
    await sql
      .updateTable('instance')
      .set({
        state: 'ok',
        calculated_checksum: checksum,
        calculated_size: size,
        checksum_time: dialect.now(),
        fingerprint,
      })
      .where('id', '=', instance_id)
      .execute()
    const proof = { instance_id, file_name, store_id, medium: 'commit', by, outcome: 'ok', sha256, size } as const
    await sql
      .insertInto('proof')
      .values({ ...proof, time: dialect.now() })
      .execute()
    await sql.deleteFrom('corrupt_file').where('instance_id', '=', instance_id).execute()
    await sql
      .insertInto('finished_work')
      .values({ id, time: dialect.now() })
      .onConflict(on => on.doNothing())
      .execute()
    await appendRepairAct(database, repair, 'done')
    return true
  }),

  /** Nothing was replaced; what was fetched may go. */
  fail: write<Held & { why: string }, boolean>(async (database, { id, holder, why }) => {
    const { sql, dialect } = database
    const ours = sql.updateTable('repair').set({ state: 'failed', ended: dialect.now() }).where('id', '=', id)
    const repair = await ours.where('holder', '=', holder).where('state', 'in', live).returningAll().executeTakeFirst()
    if (!repair) return false
    await sql
      .insertInto('finished_work')
      .values({ id, time: dialect.now() })
      .onConflict(on => on.doNothing())
      .execute()
    await appendRepairAct(database, repair, 'failed', why)
    return true
  }),

  get: read<{ id: string }, Repair | undefined>(
    async ({ sql }, { id }) => await sql.selectFrom('repair').selectAll().where('id', '=', id).executeTakeFirst(),
  ),

  /** What some process has begun and not ended. */
  interrupted: read<void, Repair[]>(
    async ({ sql }) =>
      await sql
        .selectFrom('repair')
        .selectAll()
        .where('state', 'in', [...live, 'purging'])
        .orderBy('started')
        .execute(),
  ),

  /** Makes a dead process's repair another's, unless somebody was faster: then undefined. */
  takeOver: write<Held & { from: string }, Repair | undefined>(
    async ({ sql }, { id, holder, from }) =>
      await sql
        .updateTable('repair')
        .set({ holder })
        .where('id', '=', id)
        .where('holder', '=', from)
        .where('state', 'in', [...live, 'purging'])
        .returningAll()
        .executeTakeFirst(),
  ),

  /** Copies in use that the last reading has found bad, by number: those after `after`. */
  bad: read<{ after: number; limit: number }, BadCopy[]>(
    async ({ sql }, { after, limit }) =>
      await sql
        .selectFrom('instance')
        .select(['id', 'file_name', 'store_id', 'path', 'state'])
        // Both, because only the index of those that are not ok finds them among millions.
        .where('state', '<>', 'ok')
        .where('state', 'in', badStates)
        .where('available', '=', 1)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute(),
  ),

  /** What has been in the quarantine longer than this, by the database's clock, oldest first. */
  dueForPurge: read<{ olderThanSeconds: number; after: string; limit: number }, Repair[]>(
    async ({ sql, dialect }, { olderThanSeconds, after, limit }) =>
      await sql
        .selectFrom('repair')
        .selectAll()
        .where('state', '=', 'done')
        .where('ended', '<', dialect.nowPlus(-olderThanSeconds))
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute(),
  ),

  /** Only while the copies that were just read are there and good. False: they are not, or it is purged already. */
  beginPurge: write<Held & { goodInstanceIds: readonly number[] }, boolean>(
    async ({ sql }, { id, holder, goodInstanceIds }) => {
      if (goodInstanceIds.length === 0) return false
      const good = sql.selectFrom('instance').select('id').where('id', 'in', goodInstanceIds)
      const there = await good.where('available', '=', 1).where('state', '=', 'ok').execute()
      if (there.length < goodInstanceIds.length) return false
      const due = sql.updateTable('repair').set({ state: 'purging', holder }).where('id', '=', id)
      return (await due.where('state', '=', 'done').executeTakeFirst()).numUpdatedRows === 1n
    },
  ),

  finishPurge: write<Held, boolean>(async (database, { id, holder }) => {
    const ours = database.sql.updateTable('repair').set({ state: 'purged' }).where('id', '=', id)
    const repair = await ours
      .where('holder', '=', holder)
      .where('state', '=', 'purging')
      .returningAll()
      .executeTakeFirst()
    if (!repair) return false
    await appendRepairAct(database, { ...repair, actor: 'task:purge' }, 'purged')
    return true
  }),
}

/** In the transaction in which a copy begins to go, or to be repaired. @throws LibrarianError `Busy` */
export async function demandNotRepaired({ sql }: Database, instanceId: number, what: string): Promise<void> {
  const under = sql.selectFrom('repair').select('id').where('instance_id', '=', instanceId)
  if (!(await under.where('state', 'in', live).executeTakeFirst())) return
  throw new LibrarianError('Busy', `Cannot ${what}: it is being repaired now`)
}

async function appendRepairAct(database: Database, repair: Repair, outcome: string, why?: string): Promise<void> {
  const { id, instance_id, file_name, store_id, path, found, source, actor } = repair
  const detail = { repair: id, instance: instance_id, store: store_id, path, found, source, outcome, why }
  await appendAudit(database, { actor, action: 'repair', subject: file_name, detail })
}
