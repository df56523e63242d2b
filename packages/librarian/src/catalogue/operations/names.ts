/**
 * Finding files while their name is typed, among millions, in a time that does not grow with them:
 *
 *     prefix   names that begin with what was typed, by the index of names
 *     index    names with all its words anywhere, in any case: SQLite, by an index of triples of characters
 *     scan     the same, looking through the newest files: PostgreSQL, and words of one or two characters
 *
 * A scan looks through so many files and no more; its page then ends there, and the next one goes on.
 */
import type { Instant } from '@arriero/api'
import { type RawBuilder, sql } from 'kysely'
import { endOfPrefix } from '../glob.ts'
import { type Database, read, write } from '../operation.ts'
import type { CopyState, FileTable } from '../schema.ts'

/** Where a page ended. */
export type NameCursor =
  | { readonly phase: 'prefix'; readonly name: string }
  | { readonly phase: 'index'; readonly row: number }
  | { readonly phase: 'scan'; readonly time: Instant; readonly name: string }

export type ScanPlace = Extract<NameCursor, { phase: 'scan' }>

export interface NamePage {
  readonly names: readonly string[]
  /** Absent: there are no more. */
  readonly next?: NameCursor | undefined
}

export interface DescribedFile extends Pick<FileTable, 'name' | 'size' | 'create_time' | 'uploader' | 'source'> {
  /** Of copies in use here. */
  readonly states: readonly CopyState[]
  readonly remoteCopies: number
}

/** Files that a scan looks through. */
const MOST_SCANNED = 100_000
/** Names with all triples of the words, of which few lack the words. */
const MOST_COMPARED = 20_000
/** Of one word: more make the search no narrower, and each costs a look. */
const MOST_TRIPLES = 4

const BEHIND_ALL: Extract<NameCursor, { phase: 'index' }> = { phase: 'index', row: Number.MAX_SAFE_INTEGER }
const AFTER_ALL: ScanPlace = { phase: 'scan', time: '9999-12-31T23:59:59.999999Z', name: '' }

interface Wanted {
  readonly database: Database
  /** As it was typed, without blanks around it. */
  readonly text: string
  readonly words: readonly string[]
  readonly scanEnd: ScanPlace | undefined
}

export interface NameSearch {
  readonly query: string
  readonly after?: NameCursor | undefined
  readonly limit: number
  /** Where a scan from the newest file on ends, if that is known (`endOfScan`): looking for it costs as much as some scans. */
  readonly scanEnd?: ScanPlace | undefined
}

export const names = {
  /** In the order of phases; within one by name, or the newest first. */
  find: read<NameSearch, NamePage>(async (database, { query, after, limit, scanEnd }) => {
    const text = query.trim()
    const wanted = { database, text, words: text.split(/\s+/).filter(word => word !== ''), scanEnd }
    if (wanted.words.length === 0) return scan(wanted, after, limit)
    if (after && after.phase !== 'prefix') return anywhere(wanted, after, limit)
    const first = await beginning(wanted, after, limit)
    if (first.next) return first
    const rest = await anywhere(wanted, undefined, limit - first.names.length)
    return { names: [...first.names, ...rest.names], next: rest.next }
  }),

  /** Undefined: there are not so many files. Of some time ago it serves as well: newer files are looked through besides. */
  endOfScan: read<undefined, ScanPlace | undefined>(database => endOfScan(database, AFTER_ALL)),

  /** In the order of `names`. */
  describe: read<{ names: readonly string[] }, readonly DescribedFile[]>(async ({ sql: db }, { names: wanted }) => {
    if (wanted.length === 0) return []
    const columns = ['name', 'size', 'create_time', 'uploader', 'source'] as const
    const files = await db.selectFrom('file').select(columns).where('name', 'in', wanted).execute()
    const copies = await db
      .selectFrom('instance')
      .select(['file_name', 'state'])
      .where('file_name', 'in', wanted)
      .where('available', '=', 1)
      .execute()
    const remotes = await db
      .selectFrom('remote_instance')
      .select(['file_name', ({ fn }) => fn.countAll().as('count')])
      .where('file_name', 'in', wanted)
      .groupBy('file_name')
      .execute()
    const statesOf = Map.groupBy(copies, ({ file_name }) => file_name)
    const remoteOf = new Map(remotes.map(({ file_name, count }) => [file_name, Number(count)]))
    const placeOf = new Map(wanted.map((name, at) => [name, at]))
    return files
      .map(file => ({
        ...file,
        states: (statesOf.get(file.name) ?? []).map(({ state }) => state),
        remoteCopies: remoteOf.get(file.name) ?? 0,
      }))
      .toSorted((a, b) => placeOf.get(a.name)! - placeOf.get(b.name)!)
  }),

  /** Whether names wait to be taken into the index. */
  areWaiting: read<undefined, boolean>(async ({ sql: db, dialect }) => {
    if (dialect.name !== 'sqlite') return false
    const { rows } = await sql`SELECT 1 FROM name_pending LIMIT 1`.execute(db)
    return rows.length > 0
  }),

  /** Takes names into the index, in the order in which they came. Resolves to how many. */
  index: write<{ limit: number }, number>(async ({ sql: db, dialect }, { limit }) => {
    if (dialect.name !== 'sqlite') return 0
    const { rows } = await sql<{ last: number | null; count: number }>`
      SELECT max(id) AS last, count(*) AS count FROM (SELECT id FROM name_pending ORDER BY id LIMIT ${limit})`.execute(
      db,
    )
    const { last = null, count = 0 } = rows[0] ?? {}
    if (last === null) return 0
    await sql`INSERT INTO name_index (name) SELECT name FROM name_pending WHERE id <= ${last} ORDER BY id`.execute(db)
    await sql`DELETE FROM name_pending WHERE id <= ${last}`.execute(db)
    return count
  }),
}

async function beginning({ database, text }: Wanted, after: NameCursor | undefined, limit: number): Promise<NamePage> {
  const from = after?.phase === 'prefix' ? after.name : ''
  const rows = await database.sql
    .selectFrom('file')
    .select('name')
    .where('name', '>=', text)
    .where('name', '<=', endOfPrefix(text))
    .where('name', '>', from)
    .orderBy('name')
    .limit(limit + 1)
    .execute()
  const page = rows.slice(0, limit).map(({ name }) => name)
  return { names: page, next: rows.length > limit ? { phase: 'prefix', name: page.at(-1) ?? from } : undefined }
}

function anywhere(wanted: Wanted, after: NameCursor | undefined, limit: number): Promise<NamePage> {
  const triples = wanted.database.dialect.name === 'sqlite' ? wanted.words.flatMap(triplesOf) : []
  return triples.length > 0 ? indexed(wanted, triples, after, limit) : scan(wanted, after, limit)
}

/** Few that lie apart tell as much as all of them. */
function triplesOf(word: string): string[] {
  const characters = [...word]
  const places = characters.length - 2
  if (places <= 0) return []
  const count = Math.min(MOST_TRIPLES, places)
  const at = Array.from({ length: count }, (_, each) =>
    count === 1 ? 0 : Math.round((each * (places - 1)) / (count - 1)),
  )
  return at.map(place => characters.slice(place, place + 3).join(''))
}

async function indexed(
  wanted: Wanted,
  triples: readonly string[],
  after: NameCursor | undefined,
  limit: number,
): Promise<NamePage> {
  const from = after?.phase === 'index' ? after : BEHIND_ALL
  const match = [...new Set(triples)].map(triple => `"${triple.replaceAll('"', '""')}"`).join(' AND ')
  // Without an order of its own: rows come in that of the inner query, and as soon as there are enough the rest is not looked at.
  const { rows } = await sql<{ row: number; name: string }>`
    SELECT compared.row, compared.name FROM (
      SELECT rowid AS row, name FROM name_index WHERE name_index MATCH ${match} AND rowid < ${from.row}
      ORDER BY rowid DESC LIMIT ${MOST_COMPARED}) AS compared
    WHERE ${hasAll(wanted)} LIMIT ${limit + 1}`.execute(wanted.database.sql)
  const page = rows.slice(0, limit)
  const next = rows.length > limit ? { phase: 'index' as const, row: page.at(-1)?.row ?? from.row } : undefined
  return { names: page.map(({ name }) => name), next }
}

async function scan(wanted: Wanted, after: NameCursor | undefined, limit: number): Promise<NamePage> {
  const { database, scanEnd } = wanted
  const from = after?.phase === 'scan' ? after : AFTER_ALL
  const end = from === AFTER_ALL ? scanEnd : undefined
  const compared = end
    ? sql`(${newest(from)} AND (create_time, name) >= (${end.time}, ${end.name})) AS compared
        WHERE ${hasAll(wanted)} ${inOrder}`
    : sql`(${newest(from)} ${inOrder} LIMIT ${MOST_SCANNED}) AS compared WHERE ${hasAll(wanted)}`
  const { rows } = await sql<TimedName>`
    SELECT compared.create_time, compared.name FROM ${compared} LIMIT ${limit + 1}`.execute(database.sql)
  const page = rows.slice(0, limit)
  const found = page.map(({ name }) => name)
  if (rows.length > limit) return { names: found, next: page.length > 0 ? cursorOf(page.at(-1)!) : from }
  return { names: found, next: end ?? (await endOfScan(database, from)) }
}

async function endOfScan({ sql: db }: Database, from: ScanPlace): Promise<ScanPlace | undefined> {
  const { rows } = await sql<TimedName>`${newest(from)} ${inOrder} LIMIT 1 OFFSET ${MOST_SCANNED - 1}`.execute(db)
  return rows[0] && cursorOf(rows[0])
}

type TimedName = Pick<FileTable, 'create_time' | 'name'>

const newest = (from: ScanPlace) =>
  sql`SELECT create_time, name FROM file WHERE (create_time, name) < (${from.time}, ${from.name})`

const inOrder = sql`ORDER BY create_time DESC, name DESC`

function cursorOf({ create_time, name }: TimedName): ScanPlace {
  return { phase: 'scan', time: create_time, name }
}

/** Every word, in any case, and not among those that begin with what was typed: they came first. */
function hasAll({ database, text, words }: Wanted): RawBuilder<boolean> {
  if (words.length === 0) return sql<boolean>`1 = 1`
  const like = database.dialect.name === 'postgres' ? sql`ILIKE` : sql`LIKE`
  const each = words.map(word => sql`compared.name ${like} ${`%${word.replace(/[\\%_]/g, '\\$&')}%`} ESCAPE '\\'`)
  return sql<boolean>`${sql.join(each, sql` AND `)}
    AND NOT (compared.name >= ${text} AND compared.name <= ${endOfPrefix(text)})`
}
