/** `objects.list` as the service does it: pages, prefix, delimiter, only the fields that were asked for. */
import type { Store, StoredObject } from './store.ts'

export function listPage(store: Store, bucket: string, query: URLSearchParams, pageSize: number): unknown {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter')
  const most = Math.min(pageSize, Number(query.get('maxResults') ?? 1000))
  const after = query.has('pageToken') ? fromToken(query.get('pageToken') as string) : undefined
  const entries = new Map<string, StoredObject | undefined>()
  for (const object of store.in(bucket)) {
    if (!object.name.startsWith(prefix)) continue
    const cut = delimiter === null ? -1 : object.name.indexOf(delimiter, prefix.length)
    // A name that ends with the delimiter is a prefix: `includeTrailingDelimiter` is not asked for.
    if (cut >= 0 && delimiter !== null) entries.set(object.name.slice(0, cut + delimiter.length), undefined)
    else entries.set(object.name, object)
  }
  const names = [...entries.keys()]
  const start = after === undefined ? 0 : names.indexOf(after) + 1
  const page = names.slice(start, start + most)
  const items = page.flatMap(name => entries.get(name) ?? [])
  const prefixes = page.filter(name => entries.get(name) === undefined)
  return {
    ...(items.length > 0 ? { items: items.map(describe) } : {}),
    ...(prefixes.length > 0 ? { prefixes } : {}),
    ...(start + most < names.length ? { nextPageToken: toToken(page.at(-1) as string) } : {}),
  }
}

export function describe({ name, bytes, generation, updated, crc32c, md5, contentEncoding }: StoredObject) {
  return {
    name,
    size: String(bytes.length),
    generation,
    updated: updated.toISOString(),
    crc32c,
    ...(md5 ? { md5Hash: md5 } : {}),
    ...(contentEncoding ? { contentEncoding } : {}),
  }
}

function toToken(name: string): string {
  return Buffer.from(name).toString('base64')
}

function fromToken(token: string): string {
  return Buffer.from(token, 'base64').toString('utf8')
}
