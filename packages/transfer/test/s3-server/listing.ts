import type { StoredObject } from './objects.ts'

export interface ListingRules {
  readonly isOld: boolean
  /** Names are sent as they are. Default false: as forms are encoded. */
  readonly isUnencoded?: boolean | undefined
}

/** One page, in the words of either version of the operation. */
export function listing(
  objects: ReadonlyMap<string, StoredObject>,
  query: URLSearchParams,
  { isOld, isUnencoded = false }: ListingRules,
): string {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const most = Math.min(1000, Number(query.get('max-keys') ?? 1000))
  const token = query.get('continuation-token')
  const after = isOld
    ? (query.get('marker') ?? '')
    : token
      ? Buffer.from(token, 'base64url').toString()
      : (query.get('start-after') ?? '')
  const isCoded = !isUnencoded && query.get('encoding-type') === 'url'
  const code = (text: string) =>
    isCoded ? encodeURIComponent(text).replaceAll('%20', '+').replaceAll('%2F', '/') : escaped(text)

  const keys = [...objects.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const isBehind = (name: string) => Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0
  const names: { readonly key?: string; readonly prefix?: string }[] = []
  let last = ''
  let isTruncated = false
  for (const key of keys) {
    if (!key.startsWith(prefix) || !isBehind(key)) continue
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const group = cut < 0 ? undefined : key.slice(0, cut + 1)
    // A marker or token that is a whole group says that the group was named already.
    if (group !== undefined && (names.at(-1)?.prefix === group || (after === group && (isOld || token)))) continue
    if (group !== undefined && (isOld || token) && after.startsWith(group)) continue
    if (names.length === most) {
      isTruncated = true
      break
    }
    last = group ?? key
    names.push(group === undefined ? { key } : { prefix: group })
  }
  const contents = names.flatMap(({ key }) => (key === undefined ? [] : [contentsOf(key, objects.get(key)!, code)]))
  const groups = names.flatMap(({ prefix: group }) =>
    group === undefined ? [] : [`<CommonPrefixes><Prefix>${code(group)}</Prefix></CommonPrefixes>`],
  )
  const next = !isTruncated
    ? ''
    : isOld
      ? delimiter === ''
        ? ''
        : `<NextMarker>${code(last)}</NextMarker>`
      : `<NextContinuationToken>${Buffer.from(last).toString('base64url')}</NextContinuationToken>`
  const version = isOld ? `<Marker>${code(after)}</Marker>` : `<KeyCount>${names.length}</KeyCount>`
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<Name>b</Name><Prefix>${code(prefix)}</Prefix>${version}<MaxKeys>${most}</MaxKeys>` +
    `${isCoded ? '<EncodingType>url</EncodingType>' : ''}<IsTruncated>${isTruncated}</IsTruncated>${next}` +
    `${contents.join('')}${groups.join('')}</ListBucketResult>`
  )
}

function contentsOf(key: string, object: StoredObject, code: (text: string) => string): string {
  const { bytes, etag, lastModified, storageClass = 'STANDARD', restore = '' } = object
  return (
    `<Contents><Key>${code(key)}</Key><LastModified>${new Date(lastModified).toISOString()}</LastModified>` +
    `<ETag>&quot;${etag}&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><Size>${bytes.length}</Size>` +
    `<StorageClass>${storageClass}</StorageClass>${restore}</Contents>`
  )
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
