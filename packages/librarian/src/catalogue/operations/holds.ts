/** Copies that must stay for a while, because somebody is deleting another one and counts on them (reliability B6). */
import { LibrarianError } from '@arriero/api/errors'
import { type Database, read, write } from '../operation.ts'

export interface NewHold {
  /** 32 hex digits. */
  readonly id: string
  readonly instanceId: number
  /** Who counts on it. */
  readonly holder: string
  readonly seconds: number
}

export const holds = {
  /** False: the copy is going, or gone, or out of use: nobody may count on it. */
  take: write<NewHold, boolean>(async (database, { id, instanceId, holder, seconds }) => {
    const { sql, dialect } = database
    await sql.deleteFrom('hold').where('expires', '<', dialect.now()).execute()
    const copies = sql.selectFrom('instance').select('file_name').where('id', '=', instanceId)
    const copy = await copies.where('available', '=', 1).executeTakeFirst()
    if (!copy) return false
    // Announced before its own proofs are sought: whoever asked later must not count on it (decision 0034).
    const leaving = sql.selectFrom('leaving').select('id').where('instance_id', '=', instanceId)
    if (await leaving.executeTakeFirst()) return false
    const { file_name } = copy
    const hold = { id, instance_id: instanceId, file_name, holder, expires: dialect.nowPlus(seconds) }
    await sql.insertInto('hold').values(hold).execute()
    return true
  }),

  /** Of one holder; resolves to those that were there. */
  release: write<{ ids: readonly string[]; holder: string }, string[]>(async ({ sql }, { ids, holder }) => {
    if (ids.length === 0) return []
    const gone = sql.deleteFrom('hold').where('id', 'in', ids).where('holder', '=', holder)
    const rows = await gone.returning('id').execute()
    return rows.map(({ id }) => id)
  }),

  /** Whether somebody counts on it now. */
  isHeld: read<{ instanceId: number }, boolean>(
    async (database, { instanceId }) => (await holderOf(database, instanceId)) !== undefined,
  ),
}

/** They end by themselves, by the database's clock. */
async function holderOf({ sql, dialect }: Database, instanceId: number): Promise<string | undefined> {
  const live = sql.selectFrom('hold').select('holder').where('instance_id', '=', instanceId)
  const hold = await live.where('expires', '>', dialect.now()).executeTakeFirst()
  return hold?.holder
}

/** In the transaction in which a copy begins to go. @throws LibrarianError `Busy` */
export async function demandNotHeld(database: Database, instanceId: number, path: string): Promise<void> {
  const holder = await holderOf(database, instanceId)
  if (holder === undefined) return
  throw new LibrarianError('Busy', `Cannot delete ${path}: ${holder} counts on it for a deletion of its own`, {
    remedy: 'Try again later: such a hold ends by itself.',
  })
}
