/**
 * Gives a librarian that was started once, and has ended, a history: files with a copy here, copies at the peers that it knows,
 * transfers of the last week in all states and of the years before, proofs, errors. Past all its rules, only for one that is
 * thrown away; no byte of the copies is anywhere.
 *
 *     node seed.ts URL ROWS
 */
import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'
import { insertFiles } from '../catalogue/seed.ts'

const MINUTES = 7 * 24 * 60
/** Of the rows: what is not years old. */
const YOUNG = 0.1
const ERRORS = 5000
const OPEN_ERRORS = 40

const filled = ['file', 'instance', 'remote_instance', 'proof', 'incoming_transfer', 'outgoing_transfer']

/** In the words that both databases understand; the files are there. */
function history(rows: number): string[] {
  const young = Math.max(1, Math.floor(rows * YOUNG))
  const isYoung = `n >= ${rows - young}`
  const store = `(SELECT id FROM store WHERE name = 'files')`
  return [
    'CREATE TEMPORARY TABLE moment (i INTEGER PRIMARY KEY, at TEXT NOT NULL)',
    `INSERT INTO moment (i, at) VALUES ${moments(Date.now()).join()}`,
    `CREATE TEMPORARY TABLE numbered AS
     SELECT name, create_time, size, checksum, row_number() OVER (ORDER BY create_time) - 1 AS n FROM file`,
    `INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state, checksum_time)
     SELECT '/files/' || name, name, ${store}, 'DISALLOWED', create_time, 1,
       CASE WHEN n % 20000 = 7 THEN 'mismatch' WHEN n % 20000 = 8 THEN 'missing'
            WHEN n % 100 = 3 THEN 'never-checked' ELSE 'ok' END,
       CASE WHEN n % 100 = 3 THEN NULL ELSE at END
     FROM numbered JOIN moment ON i = n % ${MINUTES}`,
    `INSERT INTO proof (instance_id, file_name, store_id, time, medium, "by", outcome)
     SELECT id, file_name, store_id, checksum_time, 'medium', 'scrub', 'ok' FROM instance
     WHERE checksum_time IS NOT NULL AND id % 10 = 0`,
    ...[0, 1].map(peer => copiesAt(peer)),
    // Seven hours and a minute apart, so that each hour has its share of them.
    `INSERT INTO outgoing_transfer
       (status, destination, transfer_size, transfer_checksum, start_time, end_time, file_name, instance_id, reason)
     SELECT status, 'peer-' || (n % 2), size, checksum, at,
       CASE WHEN status IN ('INITIATED','ONGOING','STAGED') THEN NULL ELSE at END, name, n,
       CASE WHEN status = 'FAILED' THEN 'The destination does not answer.' END
     FROM (SELECT name, size, checksum, n,
             CASE n / 2 % 100 WHEN 0 THEN 'INITIATED' WHEN 1 THEN 'INITIATED' WHEN 2 THEN 'ONGOING' WHEN 3 THEN 'ONGOING'
               WHEN 4 THEN 'STAGED' WHEN 5 THEN 'FAILED' WHEN 6 THEN 'FAILED' WHEN 7 THEN 'CANCELLED'
               ELSE 'COMPLETED' END AS status
           FROM numbered WHERE ${isYoung}) AS sent
     JOIN moment ON i = n * 421 % ${MINUTES}`,
    `INSERT INTO incoming_transfer (status, uploader, upload_name, source, transfer_size, transfer_checksum, store_id,
       transfer_manager_name, start_time, end_time, store_path, deletion_policy, token)
     SELECT CASE n % 1000 WHEN 1 THEN 'FAILED' WHEN 2 THEN 'CANCELLED' ELSE 'COMPLETED' END, 'user-' || (n % 50), name,
       'user-' || (n % 50), size, checksum, ${store}, 'local', CASE WHEN ${isYoung} THEN at ELSE create_time END,
       CASE WHEN ${isYoung} THEN at ELSE create_time END, name, 'DISALLOWED', 'seed-' || n
     FROM numbered JOIN moment ON i = n * 421 % ${MINUTES}`,
    `INSERT INTO error (severity, category, message, raised_time, cleared, cleared_time)
     SELECT CASE n % 3 WHEN 0 THEN 'ERROR' WHEN 1 THEN 'WARNING' ELSE 'INFO' END,
       CASE n % 2 WHEN 0 THEN 'TRANSFER' ELSE 'DATA_INTEGRITY' END, 'Seeded error ' || n, at,
       CASE WHEN n < ${OPEN_ERRORS} THEN 0 ELSE 1 END, CASE WHEN n < ${OPEN_ERRORS} THEN NULL ELSE at END
     FROM numbered JOIN moment ON i = n % ${MINUTES} WHERE n < ${ERRORS}`,
  ]
}

/** Of every second file one, at one or the other. */
function copiesAt(peer: number): string {
  return `INSERT INTO remote_instance (file_name, store_id, librarian_id, copy_time, sender)
    SELECT name, 1, (SELECT id FROM peer WHERE name = 'peer-${peer}'), at, 'bench'
    FROM numbered JOIN moment ON i = n % ${MINUTES} WHERE n % 4 = ${2 * peer}`
}

/** Each minute of the last week. */
function moments(now: number): string[] {
  return Array.from({ length: MINUTES }, (_, i) => {
    const time = new Date(now - (MINUTES - i) * 60_000).toISOString()
    return `(${i},'${time.slice(0, -1)}000Z')`
  })
}

function seedSqlite(path: string, rows: number): void {
  const database = new BetterSqlite3(path)
  database.pragma('synchronous = OFF')
  database.pragma('cache_size = -1000000')
  const later = database
    .prepare(
      `SELECT type, name, sql FROM sqlite_schema
       WHERE sql IS NOT NULL AND (name = 'file_named' OR type = 'index' AND tbl_name IN (${filled.map(() => '?').join()}))`,
    )
    .all(...filled) as { type: string; name: string; sql: string }[]
  for (const { type, name } of later) database.exec(`DROP ${type} ${name}`)
  database.exec('BEGIN')
  database.exec(insertFiles.sqlite(rows))
  for (const statement of history(rows)) database.exec(statement)
  database.exec('INSERT INTO name_index (name) SELECT name FROM numbered ORDER BY n')
  database.exec('COMMIT')
  for (const { sql } of later) database.exec(sql)
  database.exec('ANALYZE')
  database.close()
}

async function seedPostgres(url: string, rows: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('BEGIN')
  await client.query(insertFiles.postgres(rows))
  for (const statement of history(rows)) await client.query(statement)
  await client.query('COMMIT')
  await client.query('VACUUM ANALYZE')
  await client.end()
}

const [url = '', rows = ''] = process.argv.slice(2)
if (url.startsWith('postgres')) await seedPostgres(url, Number(rows))
else seedSqlite(url, Number(rows))
