import { TransferError } from '../../errors.ts'
import type { Listed, ListRequest } from '../../source.ts'
import { type Container, looksVersioned, uriOf } from './address.ts'
import { fanOut } from './fan-out.ts'
import { compareKeys } from './key-order.ts'
import type { ListedObject } from './list-page.ts'
import { Pages, type PagesParts } from './list-pages.ts'

export interface ListBucketParts extends PagesParts {
  /** The key that is listed below: empty, or ends with `/`. */
  readonly base: string
}

/** What lies below a key (retrieval 13.1). Keys that end with a slash and hold nothing are markers of folders, not files. */
export async function* listBucket(
  parts: ListBucketParts,
  { isRecursive, prefix = '', signal }: ListRequest,
): AsyncGenerator<readonly Listed[], void, undefined> {
  const { base, uri, bucket } = parts
  signal.throwIfAborted()
  if (base !== '' && !base.endsWith('/')) {
    throw new TransferError('Usage', `Cannot list ${uri}: it must end with a slash`, { url: uri })
  }
  const pages = new Pages(parts)
  const whole = base + prefix
  const batches = isRecursive ? fanOut(pages, { prefix: whole, uri, signal }) : oneLevel(pages, whole, uri, signal)
  for await (const batch of batches) {
    const listed = batch.flatMap(found => rowOf(found, base, bucket.container))
    if (listed.length > 0) yield listed
  }
}

type Found = ListedObject | string

/** Objects, and as plain text the prefixes that stand for what lies deeper. */
async function* oneLevel(
  pages: Pages,
  prefix: string,
  uri: string,
  signal: AbortSignal,
): AsyncGenerator<readonly Found[], void, undefined> {
  let last: string | undefined
  let token: string | undefined
  for (;;) {
    const page = await pages.get({ prefix, delimiter: '/', after: last, token }, signal)
    const { objects, prefixes } = page
    // Stores may name a prefix once more where a page begins in the middle of it.
    const isNew = (name: string) => last === undefined || compareKeys(name, last) > 0
    const found = [...objects.filter(({ key }) => isNew(key)), ...prefixes.filter(isNew)]
    yield found
    if (!page.isTruncated) return
    const names = [...objects.map(({ key }) => key), ...prefixes, ...(page.marker === undefined ? [] : [page.marker])]
    const furthest = names.reduce((max, name) => (compareKeys(name, max) > 0 ? name : max), last ?? '')
    // An empty page is no end, as long as the store knows how to go on.
    const isStuck = page.token === undefined ? furthest === (last ?? '') : page.token === token
    if (isStuck) {
      const what = `Cannot list ${uri}: the server repeats names, or names them out of order`
      throw new TransferError('Protocol', what, { url: uri, retriable: false })
    }
    last = furthest
    token = page.token
  }
}

function rowOf(found: Found, base: string, container: Container): readonly Listed[] {
  if (typeof found === 'string') return [{ uri: uriOf(container, found), path: found.slice(base.length) }]
  const { key, size, etag, lastModified } = found
  const path = key.slice(base.length)
  const isMarker = key.endsWith('/')
  if (isMarker && !size) return []
  return [
    {
      uri: uriOf(container, key),
      path: path === '' ? '/' : path,
      size,
      lastModified,
      etag: etag === undefined ? undefined : { value: etag, isWeak: false },
      unavailable: isMarker ? 'its key ends with a slash, no file can have such a name' : whyUnavailable(found),
    },
  ]
}

const ARCHIVED = new Set(['GLACIER', 'DEEP_ARCHIVE'])

function whyUnavailable({ key, storageClass = '', isRestored }: ListedObject): string | undefined {
  if (ARCHIVED.has(storageClass) && !isRestored) return `it is archived (${storageClass}): it must be restored first`
  if (looksVersioned(key)) return 'its key ends like the version id of another one'
  return undefined
}
