/**
 * Who is logged in to the dashboard. A session ends by itself when nobody uses it or it is old, and with any change of its
 * account: a new password, another level, removal.
 */
import type { Instant, Level } from '@arriero/api'
import { type Database, read, write } from '../operation.ts'

export const sessionLimits = {
  /** Without a call. */
  idleSeconds: 12 * 3600,
  /** Whatever is called. */
  wholeSeconds: 7 * 86_400,
  /** Of one user; the oldest go. */
  perUser: 50,
} as const

export interface SessionRow {
  readonly username: string
  /** Of the account, now. */
  readonly level: Level
  readonly created: Instant
  readonly last_used: Instant
  /** By the database's clock. */
  readonly now: Instant
}

export interface ByToken {
  /** SHA-256 of it, in hex. */
  readonly tokenHash: string
}

export const sessions = {
  begin: write<ByToken & { username: string; version: number }, void>(
    async (database, { tokenHash, username, version }) => {
      const { sql, dialect } = database
      await forget(database, username)
      const now = dialect.now()
      await sql
        .insertInto('session')
        .values({ token_hash: tokenHash, username, version, created: now, last_used: now })
        .execute()
    },
  ),

  /** Undefined: there is none, or it has ended. */
  find: read<ByToken, SessionRow | undefined>(async ({ sql, dialect }, { tokenHash }) => {
    const { idleSeconds, wholeSeconds } = sessionLimits
    const row = await sql
      .selectFrom('session')
      .innerJoin('account', join =>
        join.onRef('account.username', '=', 'session.username').onRef('account.version', '=', 'session.version'),
      )
      .select(['session.username', 'auth_level', 'created', 'last_used', dialect.now().as('now')])
      .where('token_hash', '=', tokenHash)
      .where('created', '>', dialect.nowPlus(-wholeSeconds))
      .where('last_used', '>', dialect.nowPlus(-idleSeconds))
      .executeTakeFirst()
    if (!row) return undefined
    const { auth_level, ...rest } = row
    return { ...rest, level: auth_level as Level }
  }),

  touch: write<ByToken, void>(async ({ sql, dialect }, { tokenHash }) => {
    await sql.updateTable('session').set({ last_used: dialect.now() }).where('token_hash', '=', tokenHash).execute()
  }),

  end: write<ByToken, void>(async ({ sql }, { tokenHash }) => {
    await sql.deleteFrom('session').where('token_hash', '=', tokenHash).execute()
  }),
}

/** Those that have ended, of everybody, and of one user those beyond what anybody may have. */
async function forget({ sql, dialect }: Database, username: string): Promise<void> {
  const { idleSeconds, wholeSeconds, perUser } = sessionLimits
  await sql
    .deleteFrom('session')
    .where(({ or, eb, not, exists, selectFrom }) =>
      or([
        eb('created', '<', dialect.nowPlus(-wholeSeconds)),
        eb('last_used', '<', dialect.nowPlus(-idleSeconds)),
        not(
          exists(
            selectFrom('account')
              .select('account.username')
              .whereRef('account.username', '=', 'session.username')
              .whereRef('account.version', '=', 'session.version'),
          ),
        ),
      ]),
    )
    .execute()
  const beyond = await sql
    .selectFrom('session')
    .select('token_hash')
    .where('username', '=', username)
    .orderBy('created', 'desc')
    .limit(1000)
    .offset(perUser - 1)
    .execute()
  if (beyond.length === 0) return
  const hashes = beyond.map(({ token_hash }) => token_hash)
  await sql.deleteFrom('session').where('token_hash', 'in', hashes).execute()
}
