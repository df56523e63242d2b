/** The rows of a removal (reliability 8.12), each step with its entry in the audit (F4). Only the deletion gate uses these. */
import type { Instant } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import { type RawBuilder, sql as raw, type Selectable } from 'kysely'
import { audited, ifDone } from '../audited.ts'
import { type Database, read, write } from '../operation.ts'
import type { DeletionPolicy, TrashTable } from '../schema.ts'
import { takeOrder } from '../trail-order.ts'
import { appendAudit } from './audit.ts'
import { demandAgreed, demandBrake, demandNoneGoing, demandProofs, type Proofs } from './deletion-rules.ts'
import { demandNotHeld } from './holds.ts'
import type { Instance } from './instances.ts'
import { demandNotRepaired } from './repairs.ts'

export type Trash = Selectable<TrashTable>

/** A copy that was read for a deletion, and what was found. */
export interface Evidence {
  readonly instance: number
  /** Its name; of another librarian's store its number there. */
  readonly store: string
  readonly state: string
  /** How it was read; `peer-challenge`: another librarian proved that it had read it · `claim`: it only said so. */
  readonly medium: string
  /** Absent: this one. */
  readonly librarian?: string | undefined
  /** When it was read, for people. */
  readonly time?: Instant | undefined
}

export interface BeginDeletion extends Proofs {
  /** 32 hex digits: of the trash. */
  readonly id: string
  /** This process. */
  readonly holder: string
  readonly instanceId: number
  readonly actor: string
  readonly reason: string
  readonly evidence: readonly Evidence[]
  /** On what two administrators have agreed, in place of proofs (B8). */
  readonly destruction?: string | undefined
}

/** All conditions must hold. */
export interface DeletionSearch {
  readonly storeId: number
  /** Made at least so long ago, by the database's clock. */
  readonly olderThanSeconds: number
  /** This store has a good copy as well. */
  readonly copiedTo?: number | undefined
  /** Number of the copy behind which the page begins; 0: the first. */
  readonly after: number
  readonly limit: number
}

export interface DeletionCandidate {
  /** Of the copy. */
  readonly id: number
  readonly fileName: string
  readonly deletionPolicy: DeletionPolicy
  /** Stores of other librarians that are known to hold it. */
  readonly remotes: number
}

/** What is under way, and whose it must be. */
export interface Held {
  readonly id: string
  readonly holder: string
}

const underWay = ['deleting', 'restoring', 'purging'] as const

export const deletions = {
  /**
   * Says that a copy is to go, before proofs are sought: from now on it is a proof for nobody else. Refused while another copy of
   * the file is going, or somebody else's deletion relies on this one (B6).
   */
  announce: write<Held & { instanceId: number }, void>(async (database, { id, holder, instanceId }) => {
    const copy = await copyOf(database, instanceId)
    await demandNoneGoing(database, copy.file_name, id)
    await demandNotHeld(database, instanceId, copy.path)
    const row = { instance_id: instanceId, file_name: copy.file_name, id, holder }
    await database.sql.insertInto('leaving').values(row).execute()
  }),

  /** Why it could not go now, whatever proofs there are; undefined: nothing stands in the way. */
  whyNot: read<{ instanceId: number }, string | undefined>(async (database, { instanceId }) => {
    const copy = await copyOf(database, instanceId)
    try {
      await demandNoneGoing(database, copy.file_name, '')
      await demandNotHeld(database, instanceId, copy.path)
      await demandBrake(database, copy.store_id, 'trashed')
    } catch (error) {
      if (error instanceof LibrarianError) return error.message
      throw error
    }
    return undefined
  }),

  /** Available copies on a store that are old enough, by number, with at how many stores of other librarians copies are known. */
  candidates: read<DeletionSearch, DeletionCandidate[]>(async ({ sql, dialect }, search) => {
    const { storeId, olderThanSeconds, copiedTo, after, limit } = search
    let query = sql
      .selectFrom('instance')
      .select(['id', 'file_name', 'deletion_policy'])
      .select(
        raw<number | string>`(SELECT COUNT(DISTINCT librarian_id || '/' || store_id) FROM remote_instance
          WHERE remote_instance.file_name = instance.file_name)`.as('remotes'),
      )
      .where('store_id', '=', storeId)
      .where('available', '=', 1)
      // What is dated in the future is not old (E4).
      .where('created_time', '<=', dialect.nowPlus(-olderThanSeconds))
      .where('id', '>', after)
    if (copiedTo !== undefined) {
      query = query.where(
        raw<boolean>`EXISTS (SELECT 1 FROM instance AS other WHERE other.file_name = instance.file_name
          AND other.store_id = ${copiedTo} AND other.available = 1 AND other.state = 'ok')`,
      )
    }
    const rows = await query.orderBy('id').limit(limit).execute()
    return rows.map(({ id, file_name, deletion_policy, remotes }) => {
      return { id, fileName: file_name, deletionPolicy: deletion_policy, remotes: Number(remotes) }
    })
  }),

  /** It stays. */
  retract: write<{ id: string }, void>(async ({ sql }, { id }) => {
    await sql.deleteFrom('leaving').where('id', '=', id).execute()
  }),

  /** Deletions that were announced and have not begun. */
  announced: read<void, Held[]>(
    async ({ sql }) => await sql.selectFrom('leaving').select(['id', 'holder']).orderBy('id').execute(),
  ),

  /**
   * Marks a copy as going that was announced. Refused while another copy of the file is going, or when one that counts as proof
   * is not there any more (or, of a destruction, when two administrators have not agreed on it, B8), or while another librarian counts on this one (B6), or it is being repaired (B5), or when the store
   * has lost too many within a day (B4).
   */
  begin: write<BeginDeletion, Trash>(async (database, deletion) => {
    const { id, holder, instanceId, actor, reason, evidence, destruction } = deletion
    const { sql, dialect } = database
    const copy = await copyOf(database, instanceId)
    const { file_name, store_id, path, deletion_policy, available, withdrawn_by } = copy
    await demandNoneGoing(database, file_name, id)
    await demandNotHeld(database, instanceId, path)
    await demandNotRepaired(database, instanceId, `delete ${path}`)
    if (destruction === undefined) await demandProofs(database, file_name, instanceId, deletion)
    else await demandAgreed(database, destruction, file_name)
    await demandBrake(database, store_id, 'trashed')
    await demandAnnounced(database, deletion, path)
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
        destruction: destruction ?? null,
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

/** @throws LibrarianError `NotFound` */
async function copyOf({ sql }: Database, instanceId: number): Promise<Instance> {
  const copy = await sql.selectFrom('instance').selectAll().where('id', '=', instanceId).executeTakeFirst()
  if (copy) return copy
  throw new LibrarianError('NotFound', `Cannot delete copy ${instanceId}: there is none with this number`)
}

/** Whoever took this process for dead has retracted what it had announced: its proofs are worth nothing then. */
async function demandAnnounced({ sql }: Database, { id, holder, instanceId }: BeginDeletion, path: string) {
  const { numDeletedRows } = await sql
    .deleteFrom('leaving')
    .where('id', '=', id)
    .where('holder', '=', holder)
    .where('instance_id', '=', instanceId)
    .executeTakeFirst()
  if (numDeletedRows === 1n) return
  throw new LibrarianError('Busy', `Cannot delete ${path}: another process has taken this deletion over; ask again`)
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
  const destruction = trash.destruction ?? undefined
  const detail = { trash: id, instance: instance_id, store: store_id, path, reason, destruction, proofs, outcome, why }
  await appendAudit(database, { actor, action, subject: file_name, detail })
}
