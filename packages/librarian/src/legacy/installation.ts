/**
 * The database of a Python librarian, read as it lies (librarian 3). Rows come one after another from one snapshot, so that
 * millions cost no memory and a server that still runs there cannot make them disagree. Nothing is written.
 */
import { type Instant, LibrarianError, parseInstant } from '@arriero/api'
import BetterSqlite from 'better-sqlite3'
import pg from 'pg'

export interface Installation extends AsyncDisposable {
  /** `alembic_version.version_num`; undefined: there is no such table, so it is something else. */
  version(): Promise<string | undefined>
  /** By the primary key. Columns that are asked for must be there. */
  rows<Columns extends ColumnTypes>(table: string, columns: Columns): AsyncIterable<RowOf<Columns>>
}

/** `maybe-…`: null where the other has nothing. */
export type ColumnType =
  | 'text'
  | 'maybe-text'
  | 'integer'
  | 'maybe-integer'
  | 'flag'
  | 'maybe-flag'
  | 'time'
  | 'maybe-time'
  | 'pickle'
  | 'maybe-pickle'

type ColumnTypes = Readonly<Record<string, ColumnType>>

interface Values {
  readonly text: string
  readonly integer: number
  readonly flag: boolean
  /** UTC; the other keeps it without a zone (librarian 4.4). */
  readonly time: Instant
  readonly pickle: Uint8Array
}

type ValueOf<Type extends ColumnType> = Type extends `maybe-${infer Plain extends keyof Values}`
  ? Values[Plain] | null
  : Type extends keyof Values
    ? Values[Type]
    : never

export type RowOf<Columns extends ColumnTypes> = { readonly [Name in keyof Columns]: ValueOf<Columns[Name]> }

/**
 * @param url `sqlite:PATH`, or `postgres://user:password@host:port/name`
 * @throws LibrarianError `Configuration`
 */
export async function openInstallation(url: string): Promise<Installation> {
  try {
    return url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : await openPostgres(url)
  } catch (error) {
    if (error instanceof LibrarianError) throw error
    // The address may hold a password.
    const why = error instanceof Error ? error.message : String(error)
    throw new LibrarianError('Configuration', `Cannot open the database to import: ${why}`, {
      remedy: 'Name it as sqlite:/path/to/librarian.db or postgres://user:password@host:port/database.',
      cause: error,
    })
  }
}

function openSqlite(path: string): Installation {
  const database = new BetterSqlite(path, { readonly: true, fileMustExist: true })
  // One snapshot for all that is read.
  database.exec('BEGIN')
  return {
    async version() {
      const known = database.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'`).get()
      if (!known) return undefined
      const row = database.prepare('SELECT version_num FROM alembic_version').get() as VersionRow | undefined
      return row?.version_num
    },
    async *rows(table, columns) {
      const query = database.prepare(`SELECT ${quoted(Object.keys(columns))} FROM ${quote(table)} ORDER BY 1`)
      for (const row of query.iterate()) yield toRow(table, columns, row as Record<string, unknown>)
    },
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}

interface VersionRow {
  readonly version_num: string
}

/** Rows that PostgreSQL hands out at a time. */
const PAGE = 1000

async function openPostgres(url: string): Promise<Installation> {
  const client = new pg.Client({ connectionString: url, application_name: 'arriero import' })
  await client.connect()
  await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
  let cursors = 0
  return {
    async version() {
      const { rows } = await client.query(`SELECT to_regclass('alembic_version') IS NOT NULL AS known`)
      if (!rows[0].known) return undefined
      return (await client.query<VersionRow>('SELECT version_num FROM alembic_version')).rows[0]?.version_num
    },
    async *rows(table, columns) {
      const cursor = `import_${cursors++}`
      const list = Object.entries(columns).map(([name, type]) => inText(quote(name), type))
      await client.query(`DECLARE ${cursor} CURSOR FOR SELECT ${list.join(', ')} FROM ${quote(table)} ORDER BY 1`)
      for (;;) {
        const { rows } = await client.query(`FETCH ${PAGE} FROM ${cursor}`)
        for (const row of rows) yield toRow(table, columns, row)
        if (rows.length < PAGE) break
      }
      await client.query(`CLOSE ${cursor}`)
    },
    async [Symbol.asyncDispose]() {
      await client.end()
    },
  }
}

/** Times and enumerations as they are written, whatever the driver would make of them. */
function inText(name: string, type: ColumnType): string {
  return /text|time/.test(type) ? `${name}::text AS ${name}` : name
}

const quote = (name: string) => `"${name}"`
const quoted = (names: readonly string[]) => names.map(quote).join(', ')

function toRow<Columns extends ColumnTypes>(
  table: string,
  columns: Columns,
  row: Readonly<Record<string, unknown>>,
): RowOf<Columns> {
  const values = Object.entries(columns).map(([name, type]) => {
    const value = row[name] ?? null
    if (value === null && type.startsWith('maybe-')) return [name, null]
    const plain = type.replace('maybe-', '') as keyof Values
    const read = value === null ? undefined : readers[plain](value)
    if (read !== undefined) return [name, read]
    throw new LibrarianError(
      'BadAnswer',
      `Cannot import ${table}: ${name} must be ${plain}, got ${JSON.stringify(value)}`,
    )
  })
  return Object.fromEntries(values)
}

/** Undefined: it is none. */
const readers: { readonly [Type in keyof Values]: (value: unknown) => Values[Type] | undefined } = {
  text: value => (typeof value === 'string' ? value : undefined),
  integer(value) {
    // 64 bits come as text from PostgreSQL.
    const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
    return Number.isSafeInteger(number) ? number : undefined
  },
  flag: value => (typeof value === 'boolean' ? value : value === 1 ? true : value === 0 ? false : undefined),
  time: value => (typeof value === 'string' ? parseInstant(value.replace(' ', 'T')) : undefined),
  pickle: value => (value instanceof Uint8Array ? value : undefined),
}
