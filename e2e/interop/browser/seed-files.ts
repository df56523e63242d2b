import BetterSqlite3 from 'better-sqlite3'

/** The n-th file, from 0. */
export function seededName(n: number): string {
  const digits = String(n).padStart(6, '0')
  return `obs/${digits.slice(0, 3)}/frame-${digits}.fits`
}

/**
 * Gives a librarian that is not running many files with a copy each, past all its rules and without their bytes: only for
 * one that is thrown away.
 */
export function seedFiles(catalogue: string, count: number): void {
  const database = new BetterSqlite3(catalogue)
  database.function('seeded_name', { deterministic: true }, n => seededName(Number(n)))
  database.pragma('synchronous = OFF')
  database.exec(
    `BEGIN;
     INSERT INTO file (name, create_time, size, checksum, sha256, kind, is_attested, uploader, source)
       WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ${count - 1})
       SELECT seeded_name(n), strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1600000000 + n, 'unixepoch'), n, 'xxh3:::' || n,
         printf('%064x', n), 'file', 1, 'ada', 'ada' FROM n;
     INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state)
       SELECT '/nowhere/' || name, name, (SELECT min(id) FROM store), 'DISALLOWED', create_time, 1, 'ok' FROM file;
     COMMIT;
     ANALYZE`,
  )
  database.close()
}
