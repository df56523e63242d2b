/** Which local paths shall have which names. */
import { isUtf8 } from 'node:buffer'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, posix, resolve } from 'node:path'
import { ProgramError } from '../errors.ts'
import { systemReason } from '../system-error.ts'
import type { UploadRequest } from './client.ts'

export interface UploadRequestsOptions {
  /** Directories stand for the files in them, each with a name of its own. */
  readonly isEach?: boolean | undefined
  /** Links below such a directory are the files they lead to. A link to a directory is refused all the same, as in a tree. */
  readonly followLinks?: boolean | undefined
  /** Hears of what is below such a directory and not sent. */
  readonly onRefused: (name: string, error: ProgramError) => void
}

/**
 * As `cp` reads its operands: the last one is the name, or, with a slash at its end or several paths before it, what comes
 * before their own names. An operand may itself be a link.
 */
export async function* uploadRequests(
  operands: readonly string[],
  options: UploadRequestsOptions,
): AsyncGenerator<UploadRequest> {
  const destination = operands.at(-1) ?? ''
  const paths = operands.slice(0, -1)
  refuseDestination(destination)
  const isPrefix = paths.length > 1 || destination.endsWith('/') || destination === '.'
  const prefix = posix.normalize(destination).replace(/\/+$/, '')
  for (const path of paths) {
    const own = isPrefix ? joined(prefix, basename(resolve(path))) : prefix
    if (options.isEach && (await isDirectory(path))) yield* filesBelow(path, own, options)
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
  if (destination.includes('//'))
    throw new ProgramError('Usage', `The destination must not have an empty part: ${destination}`, { remedy })
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await stat(path).catch(error => {
    throw new ProgramError('NotFound', `Cannot read ${path}: ${systemReason(error)}`)
  })
  return stats.isDirectory()
}

/** In the order of their names; only one directory's list is in memory at each depth. */
async function* filesBelow(
  directory: string,
  prefix: string,
  options: UploadRequestsOptions,
): AsyncGenerator<UploadRequest> {
  // As bytes: a name that is no UTF-8 would be read as another one, which is not there.
  const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' })
  for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
    const isText = isUtf8(entry.name)
    const own = isText ? entry.name.toString() : escaped(entry.name)
    const path = join(directory, own)
    const name = joined(prefix, own)
    const refusal = isText ? await linkRefusal(path, entry.isSymbolicLink(), options) : notText(path)
    if (refusal) options.onRefused(name, refusal)
    else if (entry.isDirectory()) yield* filesBelow(path, name, options)
    else yield { path, name }
  }
}

/** As a shell shows such a name: `caf\xe9.txt`. */
function escaped(name: Buffer): string {
  return name.toString('latin1').replace(/[\x80-\xff]/g, byte => `\\x${byte.charCodeAt(0).toString(16)}`)
}

function notText(path: string): ProgramError {
  return new ProgramError('PathUnsafe', `Cannot upload ${path}: its name is not UTF-8`, {
    remedy: 'Rename it; names at a librarian are text. The name is shown with \\x for each byte that is none.',
  })
}

/** A link that leads nowhere, or in a circle, is left to be met as what cannot be read. */
async function linkRefusal(
  path: string,
  isLink: boolean,
  { followLinks }: UploadRequestsOptions,
): Promise<ProgramError | undefined> {
  if (!isLink) return undefined
  if (!followLinks) {
    return new ProgramError('Disk', `Cannot upload ${path}: it is a symbolic link`, {
      remedy: 'Replace it by what it leads to, or say --follow-links to send the files that links lead to.',
    })
  }
  const stats = await stat(path).catch(() => undefined)
  if (!stats?.isDirectory()) return undefined
  return new ProgramError('Disk', `Cannot upload ${path}: it is a link to a directory, and those are never followed`, {
    remedy: 'Name the directory itself as one more path.',
  })
}
