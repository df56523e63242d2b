/** `objects.list`, page by page (retrieval 13.2). Versions and soft-deleted objects are not asked for. */
import { TransferError } from '../../errors.ts'
import type { OfferedChecksum } from '../../integrity/checksum.ts'
import { digestAsHex } from '../../integrity/parse-checksum.ts'
import type { Listed, ListRequest } from '../../source.ts'
import { gsUri } from './name.ts'

/** One page as JSON; `query` is that of objects.list. */
export type AskPage = (query: Readonly<Record<string, string | undefined>>) => Promise<unknown>

export interface Place {
  readonly bucket: string
  /** Empty, or ends with `/`. */
  readonly directory: string
  /** For messages. */
  readonly uri: string
  /** Whether an object in a coding is fetched as it is stored: then size and checksums are those of what a fetch gives. */
  readonly keepsCoding: (name: string) => boolean
}

const FIELDS = 'nextPageToken,prefixes,items(name,size,updated,generation,md5Hash,crc32c,contentEncoding)'

export async function* listObjects(
  ask: AskPage,
  place: Place,
  { isRecursive, prefix = '', signal }: ListRequest,
): AsyncGenerator<readonly Listed[], void, undefined> {
  let pageToken: string | undefined
  do {
    signal.throwIfAborted()
    const page = parsePage(
      await ask({
        prefix: place.directory + prefix || undefined,
        delimiter: isRecursive ? undefined : '/',
        maxResults: '1000',
        fields: FIELDS,
        pageToken,
      }),
      place.uri,
    )
    // A server that sends the same page again would be asked for ever.
    if (page.next !== undefined && page.next === pageToken) throw broken(place.uri, 'its next page is the same one')
    pageToken = page.next
    const batch = [...directoriesOf(page, place), ...filesOf(page, place)]
    if (batch.length > 0) yield batch
  } while (pageToken !== undefined)
}

interface Page {
  readonly next: string | undefined
  readonly prefixes: readonly string[]
  readonly items: readonly Item[]
}

interface Item {
  readonly name: string
  readonly size: number
  readonly updated: number | undefined
  readonly generation: string | undefined
  readonly checksums: readonly OfferedChecksum[]
  readonly isCoded: boolean
}

function directoriesOf({ prefixes }: Page, { bucket, directory }: Place): Listed[] {
  return prefixes.map(name => ({ uri: gsUri(bucket, name, undefined), path: name.slice(directory.length) }))
}

function* filesOf({ items }: Page, { bucket, directory, keepsCoding }: Place): Iterable<Listed> {
  for (const { name, size, updated, generation, checksums, isCoded } of items) {
    const isMarker = name.endsWith('/') && size === 0
    if (isMarker || name === directory) continue
    const isTold = !isCoded || keepsCoding(name)
    yield {
      uri: gsUri(bucket, name, generation),
      path: name.slice(directory.length),
      size: isTold ? size : undefined,
      lastModified: updated,
      version: generation,
      checksums: isTold ? checksums : undefined,
      unavailable: name.endsWith('/') ? 'its name ends with a slash, as only those of directories do' : undefined,
    }
  }
}

// ---- from outside

function parsePage(json: unknown, uri: string): Page {
  if (!isRecord(json)) throw broken(uri, 'it is not an object')
  const { nextPageToken, prefixes = [], items = [] } = json
  if (!isList(prefixes) || !isList(items)) throw broken(uri, 'its items are no list')
  if (nextPageToken !== undefined && typeof nextPageToken !== 'string') throw broken(uri, 'its page token is no text')
  return {
    next: nextPageToken || undefined,
    prefixes: prefixes.map(name => (typeof name === 'string' ? name : refuse(uri, 'a prefix is no text'))),
    items: items.map(item => parseItem(item, uri)),
  }
}

function parseItem(item: unknown, uri: string): Item {
  if (!isRecord(item) || typeof item.name !== 'string') throw broken(uri, 'an item has no name')
  const { name, size, updated, generation, contentEncoding, crc32c, md5Hash } = item
  const bytes = Number(size)
  if (typeof size !== 'string' || !/^\d+$/.test(size) || !Number.isSafeInteger(bytes)) {
    throw broken(uri, `the size of an item is ${JSON.stringify(size)}`)
  }
  const time = typeof updated === 'string' ? Date.parse(updated) : Number.NaN
  return {
    name,
    size: bytes,
    updated: Number.isNaN(time) ? undefined : time,
    generation: typeof generation === 'string' && /^\d+$/.test(generation) ? generation : undefined,
    checksums: [...offered('crc32c', crc32c), ...offered('md5', md5Hash)],
    isCoded: typeof contentEncoding === 'string' && !/^(identity)?$/i.test(contentEncoding),
  }
}

/** Composed objects have no MD5. */
function* offered(algorithm: 'crc32c' | 'md5', text: unknown): Iterable<OfferedChecksum> {
  const value = typeof text === 'string' ? digestAsHex(algorithm, text) : undefined
  if (value !== undefined) yield { algorithm, value, coverage: 'object', origin: 'x-goog-hash' }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function refuse(uri: string, what: string): never {
  throw broken(uri, what)
}

function broken(uri: string, what: string): TransferError {
  return new TransferError('Protocol', `Cannot list ${uri}: the server's answer cannot be read: ${what}`, { url: uri })
}
