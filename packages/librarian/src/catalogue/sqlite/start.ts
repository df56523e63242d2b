import { statSync } from 'node:fs'
import { LibrarianError } from '@arriero/api/errors'
import type BetterSqlite3 from 'better-sqlite3'
import type { Log } from '../../log.ts'
import { sqliteDialect } from '../dialect.ts'
import { type Migration, migrate, schemaState } from '../migrate.ts'
import { migrations as released } from '../migrations/index.ts'
import type { Database } from '../operation.ts'
import { backUp } from './backup.ts'
import { quickCheck } from './check.ts'
import { kyselyOver } from './kysely.ts'

/** Whether the last process that had it ended without closing it: a closed catalogue has no log. */
export function wasLeftOpen(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
}

export function damaged(path: string, problems: readonly string[]): LibrarianError {
  return new LibrarianError('Configuration', `The catalogue ${path} is damaged: ${problems.join('; ')}`, {
    remedy: 'Restore the newest backup, then let the stores’ trails complete it.',
  })
}

const LARGE_BYTES = 2 ** 28

export interface StartOptions {
  readonly path: string
  readonly connection: BetterSqlite3.Database
  readonly log: Log
  /** Default: those of this program. */
  readonly migrations?: readonly Migration[] | undefined
}

/**
 * Checks what is there and brings its schema up to date, in one transaction, after a backup (reliability 8.4, G3). The caller
 * owns the catalogue, so nobody else can be at it.
 */
export async function startSqlite({ path, connection, log, migrations = released }: StartOptions): Promise<void> {
  const bytes = statSync(path).size
  // Every page is read: whoever waits for a large one must not take it for stuck.
  if (bytes >= LARGE_BYTES) log.info({ path, bytes }, 'catalogue is checked before it is used')
  const problems = quickCheck(connection)
  if (problems.length > 0) throw damaged(path, problems)
  const database: Database = { sql: kyselyOver(connection), dialect: sqliteDialect }
  const { isNew, pending } = await schemaState(database, migrations)
  if (pending.length === 0) return
  if (!isNew) {
    const backup = `${path}.before-${pending[0]!.name}`
    backUp(connection, backup)
    log.info({ backup }, 'catalogue backed up before its schema changes')
  }
  connection.exec('BEGIN IMMEDIATE')
  try {
    await migrate(database, migrations)
    connection.exec('COMMIT')
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK')
    throw error
  }
  log.info({ migrations: pending.map(({ name }) => name) }, 'catalogue’s schema brought up to date')
}
