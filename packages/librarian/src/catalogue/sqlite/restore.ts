/**
 * Puts a backup in the place of a catalogue that nobody has open. The one that was there is kept beside it.
 *
 *   copy to PATH.restoring, read it in full, sync     from here on nobody can open the catalogue but the next restore
 *   the old log aside, a second name for the old file  its last commits may be in the log; the new file must not meet it
 *   rename over PATH                                   at no instant is there none, which a start would take for a new one
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LibrarianError } from '@arriero/api'
import BetterSqlite3 from 'better-sqlite3'
import { fullCheck } from './check.ts'
import { prepareFile, syncDirectory } from './file.ts'
import { takeOwnership } from './owner.ts'

export interface RestoreFileOptions {
  readonly backup: string
  /** Of the catalogue. */
  readonly path: string
  /** Of the one that is put aside: `.replaced-<stamp>`. */
  readonly stamp: string
}

/** Resolves to where the catalogue that was there is now; undefined: there was none. @throws `Configuration` */
export function restoreFile({ backup, path, stamp }: RestoreFileOptions): string | undefined {
  if (!existsSync(backup))
    throw refuse(backup, 'there is no such file', { remedy: 'Check the path that --restore names.' })
  if (existsSync(path) && statSync(path).ino === statSync(backup).ino)
    throw refuse(backup, 'it is the catalogue itself', { remedy: otherBackup })
  const temporary = restoringPath(path)
  const owner = takeOwnership(path)
  let isAside = false
  try {
    removeAll(temporary)
    // For its owner alone from the first byte, and not on a network file system.
    prepareFile(temporary)
    copyFileSync(backup, temporary, constants.COPYFILE_FICLONE)
    checkCopy(backup, temporary)
    sync(temporary)
    isAside = true
    const aside = putAside(path, stamp)
    renameSync(temporary, path)
    syncDirectory(dirname(resolve(path)))
    return aside
  } finally {
    // What was begun with the old catalogue is to be ended by another restore.
    if (!isAside) removeAll(temporary)
    owner.release()
  }
}

function restoringPath(path: string): string {
  return `${path}.restoring`
}

/** @throws `Configuration` while a restore has not ended */
export function refuseHalfRestored(path: string): void {
  if (!existsSync(restoringPath(path))) return
  throw new LibrarianError('Configuration', `Cannot open the catalogue ${path}: a restore of it did not end`, {
    remedy: 'Run it again: arriero serve --restore FILE.',
  })
}

function checkCopy(backup: string, copy: string): void {
  const connection = openCopy(backup, copy)
  try {
    const problems = fullCheck(connection)
    if (problems.length > 0) throw refuse(backup, `it is damaged: ${problems.join('; ')}`, { remedy: otherBackup })
    const tables = connection.prepare(`SELECT count(*) FROM sqlite_schema WHERE name IN ('migration', 'file')`).pluck()
    if (tables.get() !== 2) throw refuse(backup, 'it is no catalogue', { remedy: otherBackup })
  } catch (error) {
    throw error instanceof LibrarianError
      ? error
      : refuse(backup, 'it is no catalogue', { remedy: otherBackup, cause: error })
  } finally {
    connection.close()
  }
}

function openCopy(backup: string, copy: string): BetterSqlite3.Database {
  try {
    return new BetterSqlite3(copy, { fileMustExist: true })
  } catch (error) {
    throw refuse(backup, 'it is no catalogue', { remedy: otherBackup, cause: error })
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r+')
  try {
    // Copying has taken over the mode of the backup.
    fchmodSync(descriptor, 0o600)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** With its log, which may hold its last commits. */
function putAside(path: string, stamp: string): string | undefined {
  const aside = `${path}.replaced-${stamp}`
  if (!existsSync(path)) return undefined
  for (const ending of ['-wal', '-shm']) {
    if (existsSync(`${path}${ending}`)) renameSync(`${path}${ending}`, `${aside}${ending}`)
  }
  linkSync(path, aside)
  return aside
}

function removeAll(path: string): void {
  for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${ending}`, { force: true })
}

const otherBackup = 'Name another backup with --restore.'

function refuse(backup: string, why: string, details: { remedy: string; cause?: unknown }): LibrarianError {
  return new LibrarianError('Configuration', `Cannot restore ${backup}: ${why}`, details)
}
