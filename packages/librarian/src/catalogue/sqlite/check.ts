import type BetterSqlite3 from 'better-sqlite3'

/** At most this many problems are told: a damaged page brings thousands. */
const problemLimit = 20

export function quickCheck(connection: BetterSqlite3.Database): string[] {
  return pragmaProblems(connection, 'quick_check')
}

/** Reads everything: pages, indexes against tables, foreign keys. */
export function fullCheck(connection: BetterSqlite3.Database): string[] {
  const problems = pragmaProblems(connection, 'integrity_check')
  const orphans = connection.pragma('foreign_key_check') as { table: string; parent: string }[]
  const dangling = orphans.map(
    ({ table, parent }) => `a row of ${table} points at a row of ${parent} that is not there`,
  )
  return [...problems, ...dangling].slice(0, problemLimit)
}

function pragmaProblems(connection: BetterSqlite3.Database, pragma: string): string[] {
  const rows = connection.pragma(`${pragma}(${problemLimit})`) as Record<string, string>[]
  return rows.map(row => Object.values(row)[0]!).filter(line => line !== 'ok')
}
