import { spawnSync } from 'node:child_process'
import { closeSync, constants, fstatSync, fsyncSync, openSync } from 'node:fs'
import { codeOf } from './system-error.ts'

/** How things get onto stable storage; a test hands in one that fails. */
export interface Durability {
  /** A file or a directory, by its path. */
  path(path: string): void
  /** Everything on the file system of a directory; false where that is not to be had. */
  fileSystem(directory: string): boolean
}

export const systemDurability: Durability = { path: syncPath, fileSystem: syncFileSystem }

/** From this many on, one sync of the whole file system is cheaper than one each (docs/decisions/0003). */
const PATHS_FOR_SYNCFS = 24

/**
 * Syncs all of these paths, which lie on one file system. What failed once is worthless, whatever a later sync says
 * (reliability 7.5), so nothing is tried twice.
 *
 * @returns why, by path, for those that failed
 */
export function syncAll(
  paths: readonly string[],
  directory: string,
  durability = systemDurability,
): Map<string, unknown> {
  const failures = new Map<string, unknown>()
  if (paths.length >= PATHS_FOR_SYNCFS) {
    try {
      if (durability.fileSystem(directory)) return failures
    } catch (error) {
      return new Map(paths.map(path => [path, error]))
    }
  }
  for (const path of paths) {
    try {
      durability.path(path)
    } catch (error) {
      failures.set(path, error)
    }
  }
  return failures
}

function syncPath(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    fsyncSync(fd)
  } catch (error) {
    // Some file systems refuse to sync a directory; there is nothing stronger to be had on them.
    if ((codeOf(error) !== 'EINVAL' && codeOf(error) !== 'EBADF') || !fstatSync(fd).isDirectory()) throw error
  } finally {
    closeSync(fd)
  }
}

/** `syncfs` by coreutils, since Node has none; what cannot be told apart from a missing program by a control is the disk's. */
function syncFileSystem(directory: string): boolean {
  const { status, stderr } = run(directory)
  if (status === 0) return true
  if (status === null || run('/proc').status !== 0) return false
  const code = /No space left/.test(stderr) ? 'ENOSPC' : /quota/.test(stderr) ? 'EDQUOT' : 'EIO'
  throw Object.assign(new Error(stderr.trim()), { code })
}

function run(directory: string): { status: number | null; stderr: string } {
  const env = { PATH: process.env.PATH, LC_ALL: 'C' }
  const { status, stderr } = spawnSync('sync', ['-f', '--', directory], { env, encoding: 'utf8' })
  return { status, stderr: stderr ?? '' }
}
