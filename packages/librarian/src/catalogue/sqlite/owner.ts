import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { LibrarianError } from '@arriero/api/errors'
import BetterSqlite3 from 'better-sqlite3'
import { prepareFile } from './file.ts'

/**
 * One process per catalogue. A small database beside it (`NAME.owner`) is kept in a write transaction for as long as the process
 * lives: the kernel ends that lock with the process, however it ends, so nothing is left to clean up. It also says who it is.
 */
export function takeOwnership(path: string): { release(): void } {
  const lockPath = `${path}.owner`
  if (!existsSync(lockPath)) prepareFile(lockPath)
  const lock = new BetterSqlite3(lockPath, { timeout: 0 })
  try {
    introduce(lock)
    // Held, never committed: others may still read the row, and none can get here.
    lock.exec('BEGIN IMMEDIATE')
  } catch (error) {
    const owner = ownerOf(lock)
    lock.close()
    throw new LibrarianError('Configuration', `Cannot open the catalogue ${path}: ${owner} has it open`, {
      remedy: 'Stop that process first; several processes at once need PostgreSQL.',
      cause: error,
    })
  }
  return {
    release() {
      lock.exec('ROLLBACK')
      lock.close()
    },
  }
}

/** Who has it open now; undefined: nobody. Makes no file. */
export function ownerNow(path: string): string | undefined {
  if (!existsSync(`${path}.owner`)) return undefined
  const lock = new BetterSqlite3(`${path}.owner`, { fileMustExist: true, timeout: 0 })
  try {
    lock.exec('BEGIN IMMEDIATE')
    lock.exec('ROLLBACK')
    return undefined
  } catch (error) {
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error
    return ownerOf(lock)
  } finally {
    lock.close()
  }
}

function introduce(lock: BetterSqlite3.Database): void {
  lock.exec('BEGIN IMMEDIATE')
  lock.exec('CREATE TABLE IF NOT EXISTS owner (pid INTEGER NOT NULL, host TEXT NOT NULL, since TEXT NOT NULL)')
  lock.exec('DELETE FROM owner')
  lock.prepare(`INSERT INTO owner VALUES (?, ?, datetime('now'))`).run(process.pid, hostname())
  lock.exec('COMMIT')
}

function ownerOf(lock: BetterSqlite3.Database): string {
  try {
    const row = lock.prepare('SELECT pid, host, since FROM owner').get() as
      | { pid: number; host: string; since: string }
      | undefined
    if (row) return `process ${row.pid} on ${row.host} (since ${row.since} UTC)`
  } catch {
    // Between its creation and its first row; the lock alone is reason enough.
  }
  return 'another process'
}
