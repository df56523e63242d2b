import { mkdirSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { diskError } from '../disk-error.ts'

/**
 * Makes a directory and what is missing above it, durably: a name below is safe only if the names of its directories
 * are (reliability 7.4).
 */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    const first = makeDirectories(directory)
    if (first === undefined) return
    for (const parent of parentsUpTo(directory, first)) await syncDirectory(parent)
  } catch (error) {
    throw diskError(error, 'create', directory)
  }
}

/**
 * Makes a directory and what is missing above it; returns the first that was made, if any. Node's own `recursive` says
 * ENOENT of a disk that is read-only or fails.
 */
export function makeDirectories(directory: string): string | undefined {
  try {
    mkdirSync(directory)
    return directory
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const parent = dirname(directory)
    if (code === 'ENOENT' && parent !== directory) {
      const first = makeDirectories(parent)
      // Where the parent was there all along, nothing is missing above: some file systems take no new directories.
      if (first === undefined && statSync(parent, { throwIfNoEntry: false })) return makeOne(directory, error)
      return makeDirectories(directory) === undefined ? first : (first ?? directory)
    }
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return undefined
    throw asDirectoryError(error)
  }
}

/** Once more, because another process may have removed it and made it again. */
function makeOne(directory: string, refusal: unknown): string | undefined {
  try {
    mkdirSync(directory)
    return directory
  } catch (error) {
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return undefined
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? refusal : error
  }
}

/** What is in the way of a directory is a file: "it exists" would be said of what is wanted. */
function asDirectoryError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'EEXIST' ? Object.assign(new Error(message, { cause: error }), { code: 'ENOTDIR' }) : error
}

/** The directories whose entries changed when everything from `first` down to `directory` was made. */
export function parentsUpTo(directory: string, first: string): string[] {
  const parents: string[] = []
  for (let at = directory; at.length >= first.length; at = dirname(at)) parents.push(dirname(at))
  return parents
}

/** Makes the names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems refuse to sync a directory; there is nothing stronger to be had on them.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EINVAL' && code !== 'EBADF') throw error
  } finally {
    await handle.close()
  }
}
