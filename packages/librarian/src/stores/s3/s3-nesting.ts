/** A store under a prefix that begins with another store's, looked for as in directories (reliability B7). */
import { LibrarianError } from '@arriero/api'
import { headObject, listFolders, type S3Place } from './s3-objects.ts'

const MARKER = '.arriero/marker.json'

/** Folders that are looked at below a prefix; the upper levels come first. */
const MOST_FOLDERS = 100

/** The next prefix above that is a store; empty: the whole bucket. */
export async function prefixAbove(place: S3Place, prefix: string): Promise<string | undefined> {
  for (let at = parentOf(prefix); at !== undefined; at = parentOf(at)) {
    if (await isStorePrefix(place, at)) return at
  }
  return undefined
}

/** A prefix below that is a store, as far as it is worth looking. */
async function prefixBelow(place: S3Place, prefix: string): Promise<string | undefined> {
  const waiting = [prefix]
  let count = 0
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    for await (const folder of listFolders(place, at)) {
      if (++count > MOST_FOLDERS) return undefined
      if (folder === `${at}.arriero/`) continue
      if (await isStorePrefix(place, folder)) return folder
      waiting.push(folder)
    }
  }
  return undefined
}

/** @throws LibrarianError Configuration where a store would be made in another one, or around it. */
export async function refuseNestedPrefix(name: string, place: S3Place, prefix: string): Promise<void> {
  const where = (met: string) => `s3://${place.bucket}/${met}`
  const above = await prefixAbove(place, prefix)
  const below = above === undefined ? await prefixBelow(place, prefix) : undefined
  if (above === undefined && below === undefined) return
  const why = above === undefined ? `${where(below!)}, which lies in it,` : `${where(above)}, which it lies in,`
  const message = `Cannot make a store of ${where(prefix)} (${name}): ${why} is a store itself`
  throw new LibrarianError('Configuration', message, { remedy: 'Give each store a prefix of its own, side by side.' })
}

export async function isStorePrefix(place: S3Place, prefix: string): Promise<boolean> {
  return (await headObject(place, `${prefix}${MARKER}`)) !== undefined
}

/**
 * For keys that come in their order: the prefix of the store that a key lies in, below the store that is listed. A request is
 * made only where the marker's key would come after this one.
 */
export function createInnerStores(place: S3Place, prefix: string): (key: string) => Promise<string | undefined> {
  let inner: string | undefined
  let known: readonly string[] = []
  return async key => {
    if (inner !== undefined && key.startsWith(inner)) return inner
    inner = undefined
    const folders = foldersOf(key, prefix)
    for (const folder of folders) {
      if (known.includes(folder)) continue
      const rest = Buffer.from(key.slice(folder.length))
      const isAhead = Buffer.compare(rest, Buffer.from(MARKER)) <= 0
      if (!isAhead || !(await isStorePrefix(place, folder))) continue
      inner = folder
      break
    }
    known = folders
    return inner
  }
}

/** From the outermost on, without the prefix itself. */
function foldersOf(key: string, prefix: string): string[] {
  const folders: string[] = []
  for (let at = key.indexOf('/', prefix.length); at !== -1; at = key.indexOf('/', at + 1)) {
    folders.push(key.slice(0, at + 1))
  }
  return folders
}

function parentOf(prefix: string): string | undefined {
  if (prefix === '') return undefined
  return prefix.slice(0, prefix.lastIndexOf('/', prefix.length - 2) + 1)
}
