import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { type DatabaseLook, schemaLook } from '../look.ts'
import type { Migration } from '../migrate.ts'
import { migrations as released } from '../migrations/index.ts'
import { ownerNow } from './owner.ts'
import { wasLeftOpen } from './start.ts'

/** A catalogue that a server has open is left alone, and so is one that a crash has left: the next start looks at that. */
export function lookAtSqlite(path: string, migrations: readonly Migration[] = released): DatabaseLook {
  const directory = dirname(path)
  const place = existsSync(path) ? path : directory
  if (!existsSync(place)) {
    const remedy = `Mount its disk, or make the directory: mkdir -p '${directory}'`
    return { state: 'unusable', why: `${path}: its directory does not exist`, remedy }
  }
  // Beside it SQLite keeps files of its own.
  if (!isWritable(directory) || !isWritable(place)) return foreign(path, place)
  if (!existsSync(path)) return { state: 'empty', where: path }
  const owner = ownerNow(path)
  if (owner !== undefined) {
    const remedy = 'Its /health tells how it is; stop that server for the rest of this.'
    return { state: 'unseen', why: `${path}: ${owner} has it open`, remedy }
  }
  if (wasLeftOpen(path)) {
    const remedy = 'Start the server: it finishes what was interrupted, and reads the catalogue in full.'
    return { state: 'unseen', why: `${path} was not closed by the last server that had it`, remedy }
  }
  return read(path, migrations)
}

function read(path: string, migrations: readonly Migration[]): DatabaseLook {
  const connection = new BetterSqlite3(path, { fileMustExist: true, timeout: 0 })
  try {
    const has = connection.prepare(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'`).get()
    if (has === undefined) return { state: 'empty', where: path }
    const rows = connection.prepare('SELECT name FROM migration').all() as { name: string }[]
    const schema = schemaLook(
      rows.map(({ name }) => name),
      migrations,
      true,
    )
    return schema ?? { state: 'current', where: path, warnings: [], aheadMs: undefined }
  } catch (error) {
    const remedy = 'Put a backup back: arriero serve --restore newest'
    return { state: 'unusable', why: `${path} cannot be read: ${(error as Error).message}`, remedy }
  } finally {
    connection.close()
  }
}

function foreign(path: string, place: string): DatabaseLook {
  const { uid } = statSync(place)
  const why = `${path}: ${place} belongs to user ${uid} and cannot be written by user ${process.geteuid?.() ?? '?'}`
  return { state: 'unusable', why, remedy: 'Run this, and the server, as the user who owns it; or chown it.' }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}
