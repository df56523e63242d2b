/** The receiver's side of an item, where it is on this machine. */
import { chmod, chown, lstat, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { diskError } from '../disk-error.ts'
import { TransferError } from '../errors.ts'
import type { MethodItem } from '../method.ts'
import { walkTree } from '../paths/walk-tree.ts'
import { printable } from '../redact.ts'

/** As receivers expect them (librarian 8). */
export const DIRECTORY_MODE = 0o775
export const FILE_MODE = 0o664

const SETGID = 0o2000

/**
 * Whether it is there already: what has its final name is whole, because it came to it in one step.
 *
 * @throws TransferError Exists where something else has the name; nothing is ever replaced
 */
export async function isThere({ target, size, isTree }: MethodItem): Promise<boolean> {
  const stats = await lstat(target).catch(error => {
    if (error.code === 'ENOENT') return undefined
    throw diskError(error, 'copy to', target)
  })
  if (stats === undefined) return false
  const actual = isTree && stats.isDirectory() ? await sizeOf(target) : !isTree && stats.isFile() ? stats.size : -1
  if (actual === size) return true
  const wanted = `${isTree ? 'a directory' : 'a file'} of ${size} bytes`
  const message = `Cannot copy to ${printable(target)}: the name must be free or have ${wanted}, it has something else`
  throw new TransferError('Exists', message, { file: target })
}

async function sizeOf(tree: string): Promise<number> {
  let total = 0
  for (const { path, type } of (await walkTree(tree, { links: 'refuse', purpose: 'copy to' })).entries) {
    if (type === 'file') total += (await stat(join(tree, path))).size
  }
  return total
}

/** Directories above targets, each looked at once: with the group of the one above it, to which its members belong. */
export class Parents {
  readonly #groups = new Map<string, Promise<number>>()

  /** Makes it and what is missing above it. @returns its group @throws TransferError Disk, NoSpace */
  make(directory: string): Promise<number> {
    const known = this.#groups.get(directory)
    if (known) return known
    const made = this.#make(directory)
    this.#groups.set(directory, made)
    return made
  }

  async #make(directory: string): Promise<number> {
    const met = await stat(directory).catch(error => {
      if (error.code === 'ENOENT') return undefined
      throw diskError(error, 'create', directory)
    })
    if (met?.isDirectory()) return met.gid
    // Something that is no directory, or the root itself: making it says why not.
    const group = met ? met.gid : await this.make(dirname(directory))
    await makeDirectory(directory, group)
    return group
  }
}

/** With this group, and for its members to write. One that is there already is taken as it is. */
export async function makeDirectory(directory: string, group: number): Promise<void> {
  try {
    await mkdir(directory, DIRECTORY_MODE)
    const { gid, mode } = await stat(directory)
    if (gid !== group) await chown(directory, -1, group)
    // The mask of this process has taken from it; what the directory above hands down stays.
    await chmod(directory, DIRECTORY_MODE | (mode & SETGID))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(error, 'create', directory)
    const met = await stat(directory).catch(() => undefined)
    if (!met?.isDirectory()) throw diskError(Object.assign(new Error(), { code: 'ENOTDIR' }), 'create', directory)
  }
}
