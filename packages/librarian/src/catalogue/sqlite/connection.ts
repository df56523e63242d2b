import { LibrarianError } from '@arriero/api/errors'
import BetterSqlite3 from 'better-sqlite3'

export interface ConnectionOptions {
  /** Default false. */
  readonly isReadOnly?: boolean | undefined
  /** How long to wait for another process's lock before `SQLITE_BUSY`. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
}

const pageSize = 4096

/** KiB of pages that a connection may keep; the rest is the page cache's business. */
const cacheKib = 8192

/** Opens a connection on which every pragma of reliability 8.1 was set and read back. */
export function openConnection(
  path: string,
  { isReadOnly = false, busyTimeoutMs = 5000 }: ConnectionOptions = {},
): BetterSqlite3.Database {
  const connection = new BetterSqlite3(path, { readonly: isReadOnly, timeout: busyTimeoutMs, fileMustExist: true })
  try {
    checkVersion(connection)
    // Set by whoever may write; the mode is kept in the file.
    const journal = isReadOnly ? 'journal_mode' : 'journal_mode = WAL'
    connection.pragma(journal)
    const settings: Readonly<Record<string, string | number>> = {
      // Not NORMAL: a power cut would take acknowledged commits with it.
      synchronous: 2,
      foreign_keys: 1,
      busy_timeout: busyTimeoutMs,
      trusted_schema: 0,
      cell_size_check: 1,
      recursive_triggers: 1,
      cache_size: -cacheKib,
      // Below this size of the log a commit never pays for a checkpoint; idle moments do.
      wal_autocheckpoint: (16 << 20) / pageSize,
      journal_size_limit: 64 << 20,
      // Sorts of a page of results stay small; none is worth a file that a crash leaves behind.
      temp_store: 2,
      // A read error through a mapping would be a signal that ends the process, not an error.
      mmap_size: 0,
    }
    for (const [name, value] of Object.entries(settings)) connection.pragma(`${name} = ${value}`)
    for (const [name, value] of Object.entries({ ...settings, journal_mode: 'wal' })) {
      const found = connection.pragma(name, { simple: true })
      if (found !== value) throw refusal(path, `${name} must be ${value}, and stays ${found}`)
    }
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Older ones can lose writes when the log is reset; 3.52.0 was withdrawn (reliability 8.2). */
export function isTrustedVersion(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major !== 3) return major > 3
  if (minor === 52 && patch === 0) return false
  return minor > 51 || (minor === 51 && patch >= 3)
}

function checkVersion(connection: BetterSqlite3.Database): void {
  const version = connection.prepare('SELECT sqlite_version()').pluck().get() as string
  if (isTrustedVersion(version)) return
  throw refusal(connection.name, `SQLite must be at least 3.51.3 and not 3.52.0, and is ${version}`)
}

function refusal(path: string, why: string): LibrarianError {
  return new LibrarianError('Configuration', `Cannot open the catalogue ${path}: ${why}`)
}
