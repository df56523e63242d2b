/** Which local paths shall have which names. */
import { readdir, stat } from 'node:fs/promises'
import { basename, join, posix, resolve } from 'node:path'
import { ProgramError } from '../errors.ts'
import { systemReason } from '../system-error.ts'
import type { UploadRequest } from './client.ts'

/**
 * As `cp` reads its operands: the last one is the name, or, with a slash at its end or several paths before it, what comes
 * before their own names.
 *
 * @param isEach directories stand for the files in them, each with a name of its own
 */
export async function* uploadRequests(operands: readonly string[], isEach: boolean): AsyncGenerator<UploadRequest> {
  const destination = operands.at(-1) ?? ''
  const paths = operands.slice(0, -1)
  refuseDestination(destination)
  const isPrefix = paths.length > 1 || destination.endsWith('/') || destination === '.'
  const prefix = posix.normalize(destination).replace(/\/+$/, '')
  for (const path of paths) {
    const own = isPrefix ? joined(prefix, basename(resolve(path))) : prefix
    if (isEach && (await isDirectory(path))) yield* filesBelow(path, own)
    else yield { path, name: own }
  }
}

function joined(prefix: string, name: string): string {
  return prefix === '.' ? name : `${prefix}/${name}`
}

function refuseDestination(destination: string): void {
  const remedy = 'Names at a librarian are relative, such as night-1/a.fits; a prefix ends with a slash.'
  if (destination.startsWith('/'))
    throw new ProgramError('Usage', `The destination must be relative: ${destination}`, { remedy })
  if (/(^|\/)\.\.(\/|$)/.test(destination))
    throw new ProgramError('Usage', `The destination must not contain '..': ${destination}`, { remedy })
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await stat(path).catch(error => {
    throw new ProgramError('NotFound', `Cannot read ${path}: ${systemReason(error)}`)
  })
  return stats.isDirectory()
}

/** In the order of their names; only one directory's list is in memory at each depth. */
async function* filesBelow(directory: string, prefix: string): AsyncGenerator<UploadRequest> {
  const entries = await readdir(directory, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name)
    const name = joined(prefix, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path, name)
    else yield { path, name }
  }
}
