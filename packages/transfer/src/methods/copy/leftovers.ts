/**
 * Temporary names beside targets. They say which target they are for, so that a later attempt goes on with what a killed
 * one has left, but cannot be guessed and have nothing of the target's own name (reliability 7.7).
 */
import { createHash, randomBytes } from 'node:crypto'
import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const PREFIX = '.arriero-'

export class Leftovers {
  /** By directory, as they were met there first. */
  readonly #met = new Map<string, Promise<string[]>>()

  /** A new name for a target's content. */
  nameFor(target: string): string {
    return join(dirname(target), `${prefixOf(target)}${randomBytes(8).toString('hex')}`)
  }

  /** Brings a tree that was left unfinished under a name of ours, and removes whatever else was left. */
  async adopt(target: string): Promise<string | undefined> {
    let adopted: string | undefined
    for (const path of await this.#of(target)) {
      const stats = await lstat(path).catch(() => undefined)
      if (stats?.isDirectory() && adopted === undefined) {
        const name = this.nameFor(target)
        // Whoever else is at it finds nothing under the name that it knew.
        if (await rename(path, name).then(() => true, isGone)) adopted = name
      } else {
        await rm(path, { recursive: true, force: true })
      }
    }
    return adopted
  }

  async #of(target: string): Promise<string[]> {
    const directory = dirname(target)
    let names = this.#met.get(directory)
    if (!names) {
      names = readdir(directory).then(all => all.filter(name => name.startsWith(PREFIX)))
      this.#met.set(directory, names)
    }
    const prefix = prefixOf(target)
    return (await names).filter(name => name.startsWith(prefix)).map(name => join(directory, name))
  }
}

function prefixOf(target: string): string {
  return `${PREFIX}${createHash('sha256').update(target).digest('hex').slice(0, 16)}-`
}

function isGone(error: NodeJS.ErrnoException): false {
  if (error.code === 'ENOENT') return false
  throw error
}
