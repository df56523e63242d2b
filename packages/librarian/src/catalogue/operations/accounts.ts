/**
 * Users of this librarian, persons and peers. A removed user's name stays taken: files and transfers name their owner by
 * it, and whoever came next under the same name would own them (reliability 6).
 */
import type { Level } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import { sql as text } from 'kysely'
import { audited, ifDone } from '../audited.ts'
import { type Database, read } from '../operation.ts'
import type { AccountTable } from '../schema.ts'

export interface Account {
  readonly username: string
  /** Argon2id in PHC form. */
  readonly authToken: string
  readonly level: Level
  /** Rises with every change. */
  readonly version: number
}

/** In place of a hash, as no password can match it. */
const removed = '!'

export const accounts = {
  find: read<{ username: string }, Account | undefined>(async ({ sql }, { username }) => {
    // Asked by every call: text as it is costs a tenth of what building it does.
    const { rows } = await text<AccountTable>`SELECT * FROM account WHERE username = ${username}`.execute(sql)
    const [row] = rows
    return row === undefined || row.auth_token === removed ? undefined : toAccount(row)
  }),

  /** By name, those after a name, without what must stay secret. */
  list: read<{ after?: string | undefined; limit: number }, { username: string; level: Level }[]>(
    async ({ sql }, { after = '', limit }) => {
      const rows = await sql
        .selectFrom('account')
        .select(['username', 'auth_level'])
        .where('auth_token', '!=', removed)
        .where('username', '>', after)
        .orderBy('username')
        .limit(limit)
        .execute()
      return rows.map(row => ({ username: row.username, level: row.auth_level as Level }))
    },
  ),

  countAdmins: read<void, number>(database => countAdmins(database)),

  /** False: the name is taken, or was. */
  create: audited<{ username: string; authToken: string; level: Level }, boolean>(
    async ({ sql }, { username, authToken, level }) => {
      const done = await sql
        .insertInto('account')
        .values({ username, auth_token: authToken, auth_level: level, version: 1 })
        .onConflict(conflict => conflict.column('username').doNothing())
        .executeTakeFirst()
      return (done.numInsertedOrUpdatedRows ?? 0n) > 0n
    },
    ifDone,
  ),

  /** False: no such user. What is undefined stays. Nobody can take away the last administrator's level. */
  update: audited<{ username: string; authToken?: string | undefined; level?: Level | undefined }, boolean>(
    async (database, { username, authToken, level }) => {
      const { sql } = database
      const done = await sql
        .updateTable('account')
        .set(values => ({
          version: values('version', '+', 1),
          ...(authToken === undefined ? {} : { auth_token: authToken }),
          ...(level === undefined ? {} : { auth_level: level }),
        }))
        .where('username', '=', username)
        .where('auth_token', '!=', removed)
        .executeTakeFirst()
      if (level !== undefined && level !== 'ADMIN') await keepAdmin(database, `change the level of ${username}`)
      return done.numUpdatedRows > 0n
    },
    ifDone,
  ),

  /** False: no such user. */
  remove: audited<{ username: string }, boolean>(async (database, { username }) => {
    const done = await database.sql
      .updateTable('account')
      .set(values => ({ auth_token: removed, auth_level: 'NONE', version: values('version', '+', 1) }))
      .where('username', '=', username)
      .where('auth_token', '!=', removed)
      .executeTakeFirst()
    if (done.numUpdatedRows > 0n) await keepAdmin(database, `remove ${username}`)
    return done.numUpdatedRows > 0n
  }, ifDone),
}

/** Throws after the change: the transaction takes it back, and no second one can slip between look and change. */
async function keepAdmin(database: Database, tried: string): Promise<void> {
  if ((await countAdmins(database)) > 0) return
  throw new LibrarianError(
    'Conflict',
    `Cannot ${tried}: a librarian must have an administrator, and this is the last`,
    {
      remedy: 'Make somebody else an administrator first.',
    },
  )
}

async function countAdmins({ sql }: Database): Promise<number> {
  const row = await sql
    .selectFrom('account')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('auth_level', '=', 'ADMIN')
    .where('auth_token', '!=', removed)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

function toAccount(row: { username: string; auth_token: string; auth_level: string; version: number }): Account {
  return { username: row.username, authToken: row.auth_token, level: row.auth_level as Level, version: row.version }
}
