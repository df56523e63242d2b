import type BetterSqlite3 from 'better-sqlite3'
import type { Database } from '../operation.ts'
import type { Outcome, Pending } from './group-commit.ts'

/** Runs a read on one snapshot. Never rejects. */
export async function runRead(
  connection: BetterSqlite3.Database,
  database: Database,
  { operation, args }: Pending,
): Promise<Outcome> {
  try {
    connection.exec('BEGIN')
    return { value: await operation.run(database, args as never) }
  } catch (error) {
    return { error }
  } finally {
    if (connection.inTransaction) connection.exec('ROLLBACK')
  }
}
