/**
 * Leases (reliability 8.13): permission to try, by the database's clock. Safety never rests on one alone: what a holder
 * writes names its token too.
 */
import { LibrarianError } from '@arriero/api/errors'
import { type Database, read, write } from '../operation.ts'
import type { LeaseTable } from '../schema.ts'

export const leases = {
  /** The token, if the lease was free, expired, or already this holder's. */
  acquire: write<{ resource: string; holder: string; seconds: number }, number | undefined>(
    async ({ sql, dialect }, { resource, holder, seconds }) => {
      const row = await sql
        .insertInto('lease')
        .values({ resource, holder, token: 1, expires: dialect.nowPlus(seconds) })
        .onConflict(conflict =>
          conflict
            .column('resource')
            .doUpdateSet(eb => ({
              holder,
              token: eb('lease.token', '+', 1),
              expires: dialect.nowPlus(seconds),
            }))
            .where(eb => eb.or([eb('lease.expires', '<', dialect.now()), eb('lease.holder', '=', holder)])),
        )
        .returning('token')
        .executeTakeFirst()
      return row?.token
    },
  ),

  /** False: it is somebody else's now; stop at once. */
  renew: write<{ resource: string; holder: string; token: number; seconds: number }, boolean>(
    async ({ sql, dialect }, { resource, holder, token, seconds }) => {
      const { numUpdatedRows } = await sql
        .updateTable('lease')
        .set({ expires: dialect.nowPlus(seconds) })
        .where('resource', '=', resource)
        .where('holder', '=', holder)
        .where('token', '=', token)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },
  ),

  /** Free for others at once. The row stays, so that its token goes on rising. */
  release: write<{ resource: string; holder: string; token: number }, void>(
    async ({ sql, dialect }, { resource, holder, token }) => {
      await sql
        .updateTable('lease')
        .set({ expires: dialect.nowPlus(-1) })
        .where('resource', '=', resource)
        .where('holder', '=', holder)
        .where('token', '=', token)
        .execute()
    },
  ),

  /** For resources that are never leased again. */
  remove: write<{ resource: string; holder: string }, void>(async ({ sql }, { resource, holder }) => {
    await sql.deleteFrom('lease').where('resource', '=', resource).where('holder', '=', holder).execute()
  }),

  /** Resources whose lease has not expired, out of these. */
  live: read<{ resources: readonly string[] }, string[]>(async ({ sql, dialect }, { resources }) => {
    if (resources.length === 0) return []
    const rows = await sql
      .selectFrom('lease')
      .select('resource')
      .where('resource', 'in', resources)
      .where('expires', '>=', dialect.now())
      .execute()
    return rows.map(({ resource }) => resource)
  }),

  /** All that are held now, by resource. */
  list: read<undefined, readonly LeaseTable[]>(
    async ({ sql, dialect }) =>
      await sql.selectFrom('lease').selectAll().where('expires', '>=', dialect.now()).orderBy('resource').execute(),
  ),
}

/** Throws unless the lease is held; for operations that write what it covers, in the same transaction. */
export async function requireLease(
  { sql, dialect }: Database,
  { resource, token }: { readonly resource: string; readonly token: number },
): Promise<void> {
  const row = await sql
    .selectFrom('lease')
    .select('token')
    .where('resource', '=', resource)
    .where('token', '=', token)
    .where('expires', '>=', dialect.now())
    .executeTakeFirst()
  if (row) return
  throw new LibrarianError(
    'Conflict',
    `Cannot go on with ${resource}: its lease ${token} has ended or went to another`,
    { remedy: 'Stop; whoever holds the lease now does the work.' },
  )
}
