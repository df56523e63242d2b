/**
 * What stands in the way of a name: the same one, one that it would lie in, one that would lie in it (librarian 7.2, Q21).
 *
 * Ranges of names are ranges of bytes: under another collation `a/b` may sort away from `a/`. PostgreSQL is told so.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Database } from './operation.ts'
import { rowSet } from './row-set.ts'

/** `a/b/c` lies in `a` and in `a/b`. */
export function ancestorsOf(name: string): string[] {
  const parts = name.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

type NamedTable = 'file' | 'intent'

const columns = { file: 'name', intent: 'file_name' } as const satisfies Record<NamedTable, string>

/** For each name, one that is in its way in this table, if there is any: the same name first. */
export async function findObstacles(
  database: Database,
  table: NamedTable,
  names: readonly string[],
): Promise<Map<string, string>> {
  const obstacles = new Map<string, string>()
  if (names.length === 0) return obstacles
  const column = sql.ref(columns[table])
  const bytewise = database.dialect.name === 'postgres' ? sql`${column} COLLATE "C"` : column
  for (const [name, below] of await findBelow(database, sql.table(table), bytewise, names)) obstacles.set(name, below)
  // One question for a name and for those above it.
  const met = new Set(await findExact(database, sql.table(table), column, [...names, ...names.flatMap(ancestorsOf)]))
  for (const name of names) {
    const ancestor = ancestorsOf(name).find(candidate => met.has(candidate))
    if (ancestor !== undefined) obstacles.set(name, ancestor)
    if (met.has(name)) obstacles.set(name, name)
  }
  return obstacles
}

async function findExact(
  { sql: db, dialect }: Database,
  table: RawBuilder<unknown>,
  column: RawBuilder<unknown>,
  names: readonly string[],
): Promise<string[]> {
  const wanted = rowSet(
    dialect,
    { name: 'text' },
    [...new Set(names)].map(name => ({ name })),
  )
  const { rows } = await sql<{ name: string }>`
    SELECT ${column} AS name FROM ${table} WHERE ${column} IN (SELECT wanted.name FROM ${wanted} AS wanted)`.execute(db)
  return rows.map(({ name }) => name)
}

async function findBelow(
  { sql: db, dialect }: Database,
  table: RawBuilder<unknown>,
  column: RawBuilder<unknown>,
  names: readonly string[],
): Promise<[string, string][]> {
  // `0` follows `/`: everything below a name lies between the two.
  const wanted = rowSet(
    dialect,
    { name: 'text', low: 'text', high: 'text' },
    names.map(name => ({ name, low: `${name}/`, high: `${name}0` })),
  )
  const { rows } = await sql<{ name: string; below: string | null }>`
    SELECT wanted.name AS name,
      (SELECT ${column} FROM ${table} WHERE ${column} > wanted.low AND ${column} < wanted.high LIMIT 1) AS below
    FROM ${wanted} AS wanted`.execute(db)
  return rows.flatMap(({ name, below }) => (below === null ? [] : [[name, below] as [string, string]]))
}
