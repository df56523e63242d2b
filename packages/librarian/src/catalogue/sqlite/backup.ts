import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LibrarianError } from '@arriero/api/errors'
import BetterSqlite3 from 'better-sqlite3'
import { fullCheck } from './check.ts'
import { syncDirectory } from './file.ts'

/**
 * Writes a consistent copy while the catalogue is in use: to a temporary, synced, checked in full, then renamed. What was at
 * `target` is replaced only by a copy that is whole.
 */
export function backUp(connection: BetterSqlite3.Database, target: string): void {
  const temporary = `${target}.${process.pid}.tmp`
  rmSync(temporary, { force: true })
  // VACUUM INTO accepts an empty file, and keeps its mode: the copy is for its owner alone from the first byte.
  closeSync(openSync(temporary, 'wx', 0o600))
  try {
    connection.prepare('VACUUM INTO ?').run(temporary)
    checkCopy(connection, temporary)
    syncFile(temporary)
    renameSync(temporary, target)
    syncDirectory(dirname(resolve(target)))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function checkCopy(connection: BetterSqlite3.Database, temporary: string): void {
  const copy = new BetterSqlite3(temporary, { readonly: true })
  try {
    const problems = fullCheck(copy)
    if (tablesOf(copy) !== tablesOf(connection)) problems.push('its tables are not those of the catalogue')
    if (problems.length === 0) return
    throw new LibrarianError('Internal', `Cannot back up the catalogue: the copy must be sound, and ${problems[0]}`)
  } finally {
    copy.close()
  }
}

/** Without statistics: the writer makes those tables whenever it has nothing else to do, also after the copy was taken. */
function tablesOf(connection: BetterSqlite3.Database): string {
  const query = `SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name`
  return JSON.stringify(connection.prepare(query).all())
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
