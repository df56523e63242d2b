/** The rows of a removal (reliability 8.12), each step with its entry in the audit (F4). Only the deletion gate uses these. */
import type { Instant } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import type { RawBuilder, Selectable } from 'kysely'
import { audited, ifDone } from '../audited.ts'
import { type Database, read, write } from '../operation.ts'
import type { TrashTable } from '../schema.ts'
import { takeOrder } from '../trail-order.ts'
import { appendAudit } from './audit.ts'
import { demandBrake, demandNoneGoing, demandProofs } from './deletion-rules.ts'

export type Trash = Selectable<TrashTable>

/** A copy that was read for a deletion, and what was found. */
export interface Evidence {
  readonly instance: number
  readonly store: string
  readonly state: string
  readonly medium: string
}

export interface BeginDeletion {
  /** 32 hex digits: of the trash. */
  readonly id: string
  /** This process. */
  readonly holder: string
  readonly instanceId: number
  readonly actor: string
  readonly reason: string
  /** Copies that were just read in full and found good: they must still be there. */
  readonly proofInstanceIds: readonly number[]
  readonly evidence: readonly Evidence[]
}

/** What is under way, and whose it must be. */
export interface Held {
  readonly id: string
  readonly holder: string
}

const underWay = ['deleting', 'restoring', 'purging'] as const

export const deletions = {
  /**
   * Marks a copy as going. Refused while another copy of the file is going, or when one that counts as proof is not there
   * any more (B6), or when the store has lost too many within a day (B4).
   */
  begin: write<BeginDeletion, Trash>(async (database, deletion) => {
    const { id, holder, instanceId, actor, reason, proofInstanceIds, evidence } = deletion
    const { sql, dialect } = database
    const copy = await sql.selectFrom('instance').selectAll().where('id', '=', instanceId).executeTakeFirst()
    if (!copy) throw new LibrarianError('NotFound', `Cannot delete copy ${instanceId}: there is none with this number`)
    const { file_name, store_id, path, deletion_policy, available, withdrawn_by } = copy
    await demandNoneGoing(database, file_name)
    await demandProofs(database, file_name, instanceId, proofInstanceIds)
    await demandBrake(database, store_id, 'trashed')
    await sql.updateTable('instance').set({ available: 0 }).where('id', '=', instanceId).execute()
    const proofs = JSON.stringify(evidence)
    const now = dialect.now()
    return await sql
      .insertInto('trash')
      .values({
        id,
        state: 'deleting',
        holder,
        instance_id: instanceId,
        file_name,
        store_id,
        path,
        deletion_policy,
        available,
        withdrawn_by,
        actor,
        reason,
        proofs,
        trashed: now,
        purged: null,
        trail_order: await takeOrder(database),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
  }),

  /** The bytes are in the trash: the copy's row goes, the trash's row stays. False: it is not this process's any more. */
  finish: write<Held, boolean>(async (database, held) => {
    const { sql, dialect } = database
    const trash = await move(database, held, 'deleting', { state: 'trashed', trashed: dialect.now() })
    if (!trash) return false
    await sql.deleteFrom('corrupt_file').where('instance_id', '=', trash.instance_id).execute()
    await sql.deleteFrom('instance').where('id', '=', trash.instance_id).execute()
    await appendTrashAct(database, trash, { action: 'deletion/trash', outcome: 'done' })
    return true
  }),

  /** The bytes stayed where they are: so does the copy, available if it was. */
  cancel: write<Held & { why: string }, boolean>(async (database, { why, ...held }) => {
    const trash = await move(database, held, 'deleting', { state: 'kept' })
    if (!trash) return false
    const { available, withdrawn_by } = trash
    const copies = database.sql.updateTable('instance').set({ available, withdrawn_by })
    await copies.where('id', '=', trash.instance_id).execute()
    await appendTrashAct(database, trash, { action: 'deletion/trash', outcome: 'kept', why })
    return true
  }),

  /** What some process has begun and not ended. */
  interrupted: read<void, Trash[]>(
    async ({ sql }) =>
      await sql.selectFrom('trash').selectAll().where('state', 'in', underWay).orderBy('trashed').execute(),
  ),

  /** Makes a dead process's deletion another's, unless somebody was faster: then undefined. */
  takeOver: write<Held & { from: string }, Trash | undefined>(
    async ({ sql }, { id, holder, from }) =>
      await sql
        .updateTable('trash')
        .set({ holder })
        .where('id', '=', id)
        .where('holder', '=', from)
        .where('state', 'in', underWay)
        .returningAll()
        .executeTakeFirst(),
  ),

  /** Takes a copy out of use without touching its bytes. Undefined: there is no such copy. */
  withdraw: audited<{ instanceId: number }, { fileName: string; path: string } | undefined>(
    async ({ sql }, { instanceId }) => {
      const copy = await sql
        .updateTable('instance')
        .set({ available: 0 })
        .where('id', '=', instanceId)
        .returning(['file_name', 'path'])
        .executeTakeFirst()
      // A deletion that is given up must not undo it.
      const going = sql.updateTable('trash').set({ available: 0 }).where('state', '=', 'deleting')
      if (copy) await going.where('file_name', '=', copy.file_name).where('instance_id', '=', instanceId).execute()
      return copy && { fileName: copy.file_name, path: copy.path }
    },
    copy => ifDone(copy !== undefined),
  ),

  /** Forgets that another librarian holds a copy; it keeps it. False: there is no such row. */
  forgetRemote: audited<{ remoteInstanceId: number }, boolean>(async ({ sql }, { remoteInstanceId }) => {
    const { numDeletedRows } = await sql
      .deleteFrom('remote_instance')
      .where('id', '=', remoteInstanceId)
      .executeTakeFirst()
    return numDeletedRows === 1n
  }, ifDone),
}

interface NextState {
  readonly state: Trash['state']
  readonly trashed?: RawBuilder<Instant>
  readonly purged?: RawBuilder<Instant>
}

/** The next state of what is this process's; undefined: it is not, or it is further already. */
export async function move(
  { sql }: Database,
  { id, holder }: Held,
  from: Trash['state'],
  to: NextState,
): Promise<Trash | undefined> {
  return await sql
    .updateTable('trash')
    .set(to)
    .where('id', '=', id)
    .where('holder', '=', holder)
    .where('state', '=', from)
    .returningAll()
    .executeTakeFirst()
}

export interface TrashAct {
  readonly action: string
  /** Default: who wanted the copy gone. */
  readonly actor?: string
  readonly outcome: string
  readonly why?: string | undefined
}

export async function appendTrashAct(
  database: Database,
  trash: Trash,
  { action, actor = trash.actor, outcome, why }: TrashAct,
): Promise<void> {
  const { id, instance_id, file_name, store_id, path, reason } = trash
  const proofs = JSON.parse(trash.proofs) as readonly Evidence[]
  const detail = { trash: id, instance: instance_id, store: store_id, path, reason, proofs, outcome, why }
  await appendAudit(database, { actor, action, subject: file_name, detail })
}
