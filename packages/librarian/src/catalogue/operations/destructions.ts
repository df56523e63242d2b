/** All copies of a file are to go: one administrator proposes it, another one confirms (reliability B8). */
import { LibrarianError } from '@arriero/api/errors'
import type { Selectable } from 'kysely'
import { audited } from '../audited.ts'
import { pageLimit } from '../limits.ts'
import { type Database, read } from '../operation.ts'
import type { DestructionTable } from '../schema.ts'
import { agreementSeconds } from './deletion-rules.ts'

export type Destruction = Selectable<DestructionTable>

export interface Proposal {
  /** 32 hex digits, chosen by the caller. */
  readonly id: string
  readonly fileName: string
  readonly reason: string
  /** The administrator. */
  readonly by: string
}

export interface Confirmation {
  readonly id: string
  /** As it was typed once more. */
  readonly fileName: string
  /** The administrator, and not the one who proposed it. */
  readonly by: string
}

/** For so long an account that somebody else has made or changed decides on nothing, s. */
const strangeSeconds = 7 * 86_400

export const destructions = {
  /** @throws LibrarianError `NotFound`: there is no such file; `Conflict`: it is proposed already, or the account is too new */
  propose: audited<Proposal, Destruction>(async (database, { id, fileName, reason, by }) => {
    const { sql, dialect } = database
    const what = `propose to destroy ${fileName}`
    const file = await sql.selectFrom('file').select('name').where('name', '=', fileName).executeTakeFirst()
    if (!file) throw new LibrarianError('NotFound', `Cannot ${what}: there is no such file`)
    const earlier = await proposed(database).where('file_name', '=', fileName).executeTakeFirst()
    if (earlier) {
      throw new LibrarianError('Conflict', `Cannot ${what}: ${earlier.proposed_by} has proposed it as ${earlier.id}`, {
        remedy: 'Another administrator than the one who proposed it can confirm it within a day.',
      })
    }
    await demandSettled(database, by, what)
    const row = { id, file_name: fileName, reason, state: 'proposed', proposed_by: by } as const
    return await sql
      .insertInto('destruction')
      .values({ ...row, proposed: dialect.now(), confirmed_by: null, confirmed: null })
      .returningAll()
      .executeTakeFirstOrThrow()
  }),

  /**
   * From now on, for a day, the gate lets all copies of the file go. Confirming again changes nothing: it is for the copies that
   * could not go at once.
   *
   * @throws LibrarianError `NotFound`; `BadRequest`: another name was typed; `Conflict`: the same administrator, too late, undone
   */
  confirm: audited<Confirmation, Destruction>(async (database, { id, fileName, by }) => {
    const { sql, dialect } = database
    const row = await sql.selectFrom('destruction').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw new LibrarianError('NotFound', `Cannot confirm ${id}: no destruction is proposed under this id`)
    const what = `confirm the destruction ${id}`
    if (row.file_name !== fileName) {
      throw new LibrarianError('BadRequest', `Cannot ${what}: the name must be that of the file, it is ${fileName}`, {
        remedy: 'Look at what is proposed, and type the name of the file that shall be destroyed.',
      })
    }
    if (row.proposed_by === by) {
      throw new LibrarianError('Conflict', `Cannot ${what}: two administrators must agree, ${by} has proposed it`, {
        remedy: 'Ask another administrator to confirm it.',
      })
    }
    await demandOpen(database, row, what)
    if (row.state === 'confirmed') return row
    // Either may be a name that the other one has made for this.
    for (const name of [row.proposed_by, by]) await demandSettled(database, name, what)
    return await sql
      .updateTable('destruction')
      .set({ state: 'confirmed', confirmed_by: by, confirmed: dialect.now() })
      .where('id', '=', id)
      .where('state', '=', 'proposed')
      .returningAll()
      .executeTakeFirstOrThrow()
  }),

  /** Those that can be confirmed now, oldest first. */
  proposed: read<{ limit?: number | undefined }, Destruction[]>(
    async (database, { limit }) =>
      await proposed(database).orderBy('proposed').orderBy('id').limit(pageLimit(limit)).execute(),
  ),

  /** The one that can be confirmed now; undefined: the file is not proposed. */
  ofFile: read<{ name: string }, Destruction | undefined>(
    async (database, { name }) => await proposed(database).where('file_name', '=', name).executeTakeFirst(),
  ),
}

function proposed({ sql, dialect }: Database) {
  const all = sql.selectFrom('destruction').selectAll().where('state', '=', 'proposed')
  return all.where('proposed', '>', dialect.nowPlus(-agreementSeconds))
}

/** Two words of one administrator hold for a day: the proposal, and the confirmation. @throws LibrarianError `Conflict` */
async function demandOpen({ sql, dialect }: Database, { id, state }: Destruction, what: string): Promise<void> {
  if (state === 'undone') {
    throw new LibrarianError('Conflict', `Cannot ${what}: a copy was brought back since`, {
      remedy: 'Propose it anew if the file shall go nevertheless.',
    })
  }
  const since = state === 'proposed' ? 'proposed' : 'confirmed'
  const open = sql.selectFrom('destruction').select('id').where('id', '=', id)
  if (await open.where(since, '>', dialect.nowPlus(-agreementSeconds)).executeTakeFirst()) return
  throw new LibrarianError('Conflict', `Cannot ${what}: it was ${state} more than a day ago`, {
    remedy: 'Propose it anew.',
  })
}

/**
 * An administrator still, whose account nobody else has made or changed within a week: whoever has got hold of one token could
 * make a second administrator by it, or take another's password.
 *
 * @throws LibrarianError `Conflict`
 */
async function demandSettled({ sql, dialect }: Database, username: string, what: string): Promise<void> {
  const account = await sql
    .selectFrom('account')
    .select('username')
    .where('username', '=', username)
    .where('auth_level', '=', 'ADMIN')
    .executeTakeFirst()
  if (!account) throw new LibrarianError('Conflict', `Cannot ${what}: ${username} must be an administrator`)
  const entries = await sql
    .selectFrom('audit')
    .select(['actor', 'detail'])
    .where('subject', '=', username)
    .where('action', 'in', ['users/create', 'users/update'])
    .where('actor', '!=', username)
    .where('time', '>', dialect.nowPlus(-strangeSeconds))
    .execute()
  const change = entries.find(({ detail }) => JSON.parse(detail).outcome === 'done')
  if (!change) return
  const why = `${change.actor} has made or changed the account of ${username} within a week`
  throw new LibrarianError('Conflict', `Cannot ${what}: ${why}`, {
    remedy: 'Ask an administrator who has been one for longer, or wait until a week has passed.',
  })
}
