/** What must hold in the transaction that lets bytes go (reliability B1, B4, B6). */
import { LibrarianError } from '@arriero/api/errors'
import type { Database } from '../operation.ts'
import type { TrashTable } from '../schema.ts'

/** Who the alarm of a store's brake comes from: an open one holds the brake until somebody clears it. */
export const brakeCaller = (storeName: string) => `brake of store ${storeName}`

/** What a deletion relies on. */
export interface Proofs {
  /** Copies here that were just read in full and found good. */
  readonly proofInstanceIds: readonly number[]
  /** Copies that other librarians have just proven, and hold. Default 0. */
  readonly remoteProofs?: number | undefined
}

/** Copies that were just read in full and found good must still be there. @throws LibrarianError `KeepsLastCopy` */
export async function demandProofs(
  { sql }: Database,
  fileName: string,
  victimId: number,
  { proofInstanceIds, remoteProofs = 0 }: Proofs,
): Promise<void> {
  const ids = new Set(proofInstanceIds.filter(id => id !== victimId))
  const there = ids.size
    ? await sql
        .selectFrom('instance')
        .select('id')
        .where('id', 'in', [...ids])
        .where('file_name', '=', fileName)
        .where('available', '=', 1)
        .where('state', '=', 'ok')
        .execute()
    : []
  if (ids.size + remoteProofs > 0 && there.length === ids.size) return
  throw new LibrarianError(
    'KeepsLastCopy',
    `Cannot delete a copy of ${fileName}: every copy that counts as proof must still be there, ${there.length} of ${ids.size} are`,
  )
}

/** How long two administrators' word holds: a proposal without its confirmation, and from then on for the copies to go, s. */
export const agreementSeconds = 86_400

/** Two administrators must have agreed, a short time ago, that all copies of the file go (B8). @throws LibrarianError `Conflict` */
export async function demandAgreed({ sql, dialect }: Database, destruction: string, fileName: string): Promise<void> {
  const agreed = await sql
    .selectFrom('destruction')
    .select('id')
    .where('id', '=', destruction)
    .where('file_name', '=', fileName)
    .where('state', '=', 'confirmed')
    .where('confirmed', '>', dialect.nowPlus(-agreementSeconds))
    .executeTakeFirst()
  if (agreed) return
  const message = `Cannot destroy a copy of ${fileName}: two administrators must have agreed on it within a day`
  throw new LibrarianError('Conflict', message)
}

/**
 * Copies that are proofs for one that goes now must not go themselves (B6): one of a file at a time.
 *
 * @param deletionId whose own announcement does not count
 * @throws LibrarianError `Busy`
 */
export async function demandNoneGoing({ sql }: Database, fileName: string, deletionId: string): Promise<void> {
  const leaving = await sql
    .selectFrom('leaving')
    .select('id')
    .where('file_name', '=', fileName)
    .where('id', '!=', deletionId)
    .executeTakeFirst()
  const going = await sql
    .selectFrom('trash')
    .select('id')
    .where('file_name', '=', fileName)
    .where('state', 'in', ['deleting', 'purging'])
    .executeTakeFirst()
  if (going ?? leaving)
    throw new LibrarianError('Busy', `Cannot delete a copy of ${fileName}: another one is being deleted now`)
}

const daySeconds = 86_400
/** So many may go from the smallest store. */
const LEAST = 100

/**
 * At most 1 % of a store, or 100 copies, go within a day: into the trash by one count, out of it for ever by another. Beyond
 * that the store's brake is on until a person clears its alarm, and counting starts again.
 *
 * @throws LibrarianError `TooMany`
 */
export async function demandBrake(database: Database, storeId: number, going: 'trashed' | 'purged'): Promise<void> {
  const { sql } = database
  const { name } = await sql.selectFrom('store').select('name').where('id', '=', storeId).executeTakeFirstOrThrow()
  const alarms = sql.selectFrom('error').where('caller', '=', brakeCaller(name))
  const open = await alarms.select('id').where('cleared', '=', 0).executeTakeFirst()
  if (open) throw braked(`the brake of store ${name} is on`, open.id)
  const cleared = await alarms.select(({ fn }) => fn.max('cleared_time').as('time')).executeTakeFirst()
  const gone = await countGone(database, storeId, going, cleared?.time ?? '')
  if (gone < LEAST) return
  // Counted no further than matters: a store may hold millions.
  const most = Math.max(LEAST, Math.floor((await countKept(database, storeId, (gone + 1) * 100)) / 100))
  if (gone < most) return
  const what = going === 'trashed' ? 'deleted' : 'purged'
  throw braked(`at most ${most} copies may be ${what} from store ${name} within a day, and as many were`)
}

function braked(why: string, alarm?: number): LibrarianError {
  const which = alarm === undefined ? 'the error of the brake' : `error ${alarm}`
  return new LibrarianError('TooMany', `Cannot delete more: ${why}`, {
    remedy: `Look at what was deleted and why (\`arriero trash\`); if it was right, clear ${which} by \`arriero errors clear\`.`,
    retryAfterSeconds: 3600,
  })
}

async function countGone(
  { sql, dialect }: Database,
  storeId: number,
  going: 'trashed' | 'purged',
  since: string,
): Promise<number> {
  const states: TrashTable['state'][] =
    going === 'trashed' ? ['deleting', 'trashed', 'restoring', 'purging', 'purged'] : ['purged']
  const { n } = await sql
    .selectFrom('trash')
    .select(eb => eb.fn.countAll<number | string>().as('n'))
    .where('store_id', '=', storeId)
    .where('state', 'in', states)
    .where(going, '>', dialect.nowPlus(-daySeconds))
    .where(going, '>', since)
    .executeTakeFirstOrThrow()
  return Number(n)
}

async function countKept({ sql }: Database, storeId: number, most: number): Promise<number> {
  const some = sql.selectFrom('instance').select('id').where('store_id', '=', storeId).limit(most)
  const { n } = await sql
    .selectFrom(some.as('kept'))
    .select(eb => eb.fn.countAll<number | string>().as('n'))
    .executeTakeFirstOrThrow()
  return Number(n)
}
