/**
 * Gives a librarian that was started once, and has ended, many files that nobody has read yet, though they count as good, so that
 * nobody but a scrub reads them: past all its rules, only for one that
 * is thrown away.
 *
 *     node seed-copies.ts HOME COUNT
 */
import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'

const content = Buffer.alloc(1024, 'arriero')
const sha256 = createHash('sha256').update(content).digest('hex')
/** Names of one file: some file systems have no more. */
const LINKS = 60_000
/** Files of a directory. */
const TOGETHER = 2000

const nameOf = (n: number) => `many/${Math.floor(n / TOGETHER)}/${n}`

function link(root: string, count: number): void {
  let first = ''
  for (let n = 0; n < count; n++) {
    const path = join(root, nameOf(n))
    if (n % TOGETHER === 0) mkdirSync(join(root, nameOf(n), '..'), { recursive: true, mode: 0o750 })
    if (n % LINKS === 0) {
      writeFileSync(path, content, { mode: 0o440 })
      first = path
    } else linkSync(first, path)
  }
}

function insert(path: string, root: string, count: number): void {
  const database = new BetterSqlite3(path)
  database.pragma('synchronous = OFF')
  database.pragma('cache_size = -1000000')
  const indexes = database
    .prepare(
      `SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('file', 'instance')`,
    )
    .all() as { name: string; sql: string }[]
  for (const { name } of indexes) database.exec(`DROP INDEX ${name}`)
  const numbers = `WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ${count - 1})`
  const time = '2026-01-01T00:00:00.000000Z'
  database.exec('BEGIN')
  database.exec(
    `INSERT INTO file (name, create_time, size, checksum, sha256, kind, is_attested, uploader, source)
     ${numbers} SELECT 'many/' || (n / ${TOGETHER}) || '/' || n, '${time}', ${content.length}, 'sha256:::${sha256}', '${sha256}',
       'file', 1, 'bench', 'bench' FROM n`,
  )
  database.exec(
    `INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state)
     SELECT '${root}/' || name, name, (SELECT id FROM store WHERE name = 'files'), 'DISALLOWED', create_time, 1, 'ok'
     FROM file`,
  )
  database.exec('COMMIT')
  for (const { sql } of indexes) database.exec(sql)
  database.exec('ANALYZE')
  database.close()
}

const [home = '', count = ''] = process.argv.slice(2)
link(join(home, 'files'), Number(count))
insert(join(home, 'catalogue.db'), join(home, 'files'), Number(count))
