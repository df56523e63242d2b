/**
 * Fills a catalogue with files, two copies of each, past its rules of durability: only for a catalogue that is thrown away.
 *
 *     node seed.ts URL ROWS
 */
import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'

const epoch = Date.UTC(2020, 0, 1)

/** One file a second. */
export function timeOf(n: number): string {
  return `${new Date(epoch + Math.floor(n) * 1000).toISOString().slice(0, -1)}000Z`
}

export function uploaderOf(n: number): string {
  return `user-${n % 50}`
}

/** 2,000 files a directory; the leaf looks random, as digests and times of instruments do. */
const sqliteFile = `SELECT printf('obs/%04d/d%05d/%08x-%d.fits', 2020 + n / 31536000, n / 2000, (n * 2654435761) % 4294967296, n),
    strftime('%Y-%m-%dT%H:%M:%S.000000Z', ${epoch / 1000} + n, 'unixepoch'), n % 1000000007, 'xxh3:::' || n,
    printf('%064x', n), 'file', 1, 'user-' || (n % 50), 'site-' || (n % 7) FROM n`

/** The same in the words of PostgreSQL. */
const postgresFile = `SELECT format('obs/%s/d%s/%s-%s.fits', 2020 + n / 31536000, lpad((n / 2000)::text, 5, '0'),
              lpad(to_hex((n * 2654435761) % 4294967296), 8, '0'), n),
            to_char(to_timestamp(${epoch / 1000} + n) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), n % 1000000007,
            'xxh3:::' || n, lpad(to_hex(n), 64, '0'), 'file', 1, 'user-' || (n % 50), 'site-' || (n % 7)`

const columns = '(name, create_time, size, checksum, sha256, kind, is_attested, uploader, source)'

/** So many rows of files; nothing else of them. */
export const insertFiles = {
  sqlite: (rows: number) =>
    `INSERT INTO file ${columns}
     WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ${rows - 1}) ${sqliteFile}`,
  postgres: (rows: number) =>
    `INSERT INTO file ${columns} ${postgresFile} FROM generate_series(0::bigint, ${rows - 1}) AS n`,
}

async function seedSqlite(path: string, rows: number): Promise<void> {
  const database = new BetterSqlite3(path)
  database.pragma('synchronous = OFF')
  database.pragma('cache_size = -1000000')
  const indexes = database
    .prepare(
      `SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('file', 'instance')`,
    )
    .all() as { name: string; sql: string }[]
  for (const { name } of indexes) database.exec(`DROP INDEX ${name}`)
  database.exec('BEGIN')
  for (const id of [1, 2]) database.exec(storeOf(id))
  database.exec(insertFiles.sqlite(rows))
  for (const id of [1, 2]) database.exec(instancesOn(id))
  database.exec('COMMIT')
  for (const { sql } of indexes) database.exec(sql)
  database.exec('ANALYZE')
  database.close()
}

async function seedPostgres(url: string, rows: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  for (const id of [1, 2]) await client.query(storeOf(id))
  await client.query(insertFiles.postgres(rows))
  for (const id of [1, 2]) await client.query(instancesOn(id))
  await client.query('ANALYZE')
  await client.end()
}

const storeOf = (id: number) =>
  `INSERT INTO store (id, name, ingestable, store_type, store_data, transfer_manager_data)
   VALUES (${id}, 'store-${id}', 1, 'local', '{}', '{}')`

const instancesOn = (store: number) =>
  `INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state)
   SELECT '/stores/${store}/' || name, name, ${store}, 'DISALLOWED', create_time, 1, 'ok' FROM file`

if (import.meta.main) {
  const [url = '', rows = ''] = process.argv.slice(2)
  await (url.startsWith('postgres') ? seedPostgres : seedSqlite)(url, Number(rows))
}
