/**
 * A store in another one's directory: the outer one would take the inner one's files for its own or for nobody's, and its
 * private directory too (reliability B7). Looked for upwards on every way to a place, and downwards where a store is made.
 */
import { lstat, opendir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PRIVATE } from './layout.ts'
import { below, identityOf, readMounts, waysTo } from './mounts.ts'
import { codeOf } from './system-error.ts'

/** Entries that are looked at below a place; the upper levels come first, and a new store has hardly any. */
const MOST_ENTRIES = 20_000

/** What to do about it. */
export const apart = 'Give each store and each staging area a directory of its own, side by side with the others.'

export interface Places {
  readonly storePath: string
  /** Undefined: it has none. */
  readonly stagingPath?: string | undefined
}

/** Why no store may be there, as a reason for people. */
export async function whyNested({ storePath, stagingPath }: Places): Promise<string | undefined> {
  const above = await storeAbove(storePath)
  if (above !== undefined) return `${storePath} lies in ${above}, which is a store itself`
  if (stagingPath === undefined) return undefined
  const around = await storeAround(stagingPath, storePath)
  return around && `its staging area ${stagingPath} is, or lies in, ${around}, which is a store itself`
}

/** The next store above a directory. */
export async function storeAbove(path: string): Promise<string | undefined> {
  for (const way of await waysTo(path)) {
    for (const directory of upwards(way).slice(1)) if (await isStoreRoot(directory)) return directory
  }
  return undefined
}

async function storeAround(path: string, own: string): Promise<string | undefined> {
  const ownIdentity = await identityOf(own)
  for (const way of await waysTo(path)) {
    for (const directory of upwards(way)) {
      // Of one's own store the settings tell already.
      if ((await isStoreRoot(directory)) && (await identityOf(directory)) !== ownIdentity) return directory
    }
  }
  return undefined
}

/** A store below a directory, as far as it is worth looking: what is deeper is met by `scan`. */
export async function storeBelow(path: string): Promise<string | undefined> {
  for (const { point } of await readMounts()) {
    if (point !== path && below(point, path) !== undefined && (await isStoreRoot(point))) return point
  }
  const waiting = [path]
  let count = 0
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    const directory = await opendir(at).catch(() => undefined)
    if (!directory) continue
    for await (const entry of directory) {
      if (++count > MOST_ENTRIES) return undefined
      if (!entry.isDirectory() || entry.name === PRIVATE) continue
      const inside = join(at, entry.name)
      if (await isStoreRoot(inside)) return inside
      waiting.push(inside)
    }
  }
  return undefined
}

/** What cannot be looked into may be another user's store, whose private directory is closed. */
async function isStoreRoot(directory: string): Promise<boolean> {
  return await lstat(join(directory, PRIVATE, 'marker.json')).then(
    () => true,
    async error => codeOf(error) === 'EACCES' && (await isThere(join(directory, PRIVATE))),
  )
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    stats => stats.isDirectory(),
    () => false,
  )
}

/** Itself and all above it. */
export function upwards(path: string): string[] {
  const directories = [path]
  for (let at = path; dirname(at) !== at; directories.push(at)) at = dirname(at)
  return directories
}
