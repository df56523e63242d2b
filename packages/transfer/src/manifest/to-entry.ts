import type { Checksum } from '../integrity/checksum.ts'
import type { EntityTag, Range } from '../resource.ts'
import type { Draft } from './draft.ts'
import type { Entry, Fields } from './entry.ts'
import { digestOf, listOf, mapOf, textOf, uri, wholeNumber } from './field-values.ts'
import { isPresent, readObjectFields } from './object-fields.ts'
import { refuse, refuseAs } from './problem.ts'
import { type RowShape, shapeOfFields } from './shape.ts'

const NOTHING: readonly Checksum[] = []

/**
 * Checks the fields of one row and brings them into one shape. Values may be text where another type is meant, as in CSV;
 * null, and text without any character, count as absent.
 *
 * @throws RowProblem, or TransferError Usage from the checksum's parser.
 */
export function toEntry(fields: Fields, index: number, line: number, shape: RowShape = shapeOfFields(fields)): Entry {
  const draft = shape.idKeys ? readObjectFields(fields, shape, readField) : readFields(fields)
  const range = draft.range
  if (range && draft.size !== undefined && range.end > draft.size) {
    refuse(`range must end within the size of ${draft.size} bytes`, fields.range)
  }
  return {
    index,
    line,
    id: draft.id,
    uris: urisOf(draft),
    path: draft.path,
    checksums: checksumsOf(draft),
    size: draft.size,
    headers: draft.headers,
    etag: draft.etag,
    version: draft.version,
    priority: draft.priority,
    range,
    extra: draft.extra,
  }
}

function readFields(fields: Fields): Draft {
  const draft: Draft = {}
  for (const key in fields) {
    const value = fields[key]
    if (isPresent(value)) readField(draft, key, value)
  }
  return draft
}

function readField(draft: Draft, key: string, value: unknown): void {
  switch (key) {
    case 'url':
      draft.url = uri(value)
      break
    case 'urls':
      draft.uris = listOf(value).map(item => uri(item))
      break
    case 'filepath':
      draft.path = textOf('filepath', value, 'bad_name')
      break
    case 'checksum':
      draft.checksum = textOf('checksum', value, 'bad_md5')
      break
    case 'checksum-algorithm':
      draft.checksumAlgorithm = textOf('checksum-algorithm', value)
      break
    case 'checksums':
      draft.checksums = readChecksums(value)
      break
    case 'size':
      draft.size = wholeNumber('size', value, 'bad_size')
      break
    case 'priority':
      draft.priority = wholeNumber('priority', value)
      break
    case 'headers':
      draft.headers = readHeaders(value)
      break
    case 'etag':
      draft.etag = readEtag(textOf('etag', value))
      break
    case 'version':
      draft.version = typeof value === 'number' ? String(wholeNumber('version', value)) : textOf('version', value)
      break
    case 'range':
      draft.range = readRange(value)
      break
    default:
      draft.extra ??= Object.create(null) as Record<string, unknown>
      draft.extra[key] = value
  }
}

/** `url` first, then `urls`, each once. */
function urisOf({ url, uris }: Draft): readonly string[] {
  if (uris === undefined) return url === undefined ? [] : [url]
  return [...new Set(url === undefined ? uris : [url, ...uris])]
}

function checksumsOf({ checksum, checksumAlgorithm, checksums }: Draft): readonly Checksum[] {
  if (checksum === undefined && checksumAlgorithm === undefined) return checksums ?? NOTHING
  if (checksum === undefined) return refuseAs('bad_md5', 'checksum-algorithm requires checksum')
  if (checksumAlgorithm === undefined)
    return refuseAs('bad_md5', 'checksum requires checksum-algorithm (such as sha256) beside it')
  return [digestOf(checksumAlgorithm, checksum), ...(checksums ?? NOTHING)]
}

function readChecksums(value: unknown): Checksum[] {
  const checksums: Checksum[] = []
  for (const [name, digest] of Object.entries(mapOf('checksums', value, 'bad_md5'))) {
    checksums.push(digestOf(name, textOf(`checksums.${name}`, digest, 'bad_md5')))
  }
  return checksums
}

/** RFC 9110, 5.1 and 5.5. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

function readHeaders(value: unknown): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>
  for (const [name, content] of Object.entries(mapOf('headers', value))) {
    if (!HEADER_NAME.test(name)) refuse('a header name must be a token (RFC 9110, 5.1)', name)
    // The value itself may be secret: it is not shown.
    if (typeof content !== 'string' || !HEADER_VALUE.test(content)) {
      refuse(`the header ${name} must be a string of printable Latin-1 characters`)
    }
    headers[name] = content.trim()
  }
  return headers
}

/** With or without its quotes (RFC 9110, 8.8.3). */
function readEtag(text: string): EntityTag {
  const shape = /^(W\/)?("?)([\u0021\u0023-\u007e\u0080-\u00ff]+)\2$/.exec(text)
  if (!shape) return refuse('etag must be an entity tag, as in "abc" or W/"abc"', text)
  return { value: shape[3]!, isWeak: shape[1] !== undefined }
}

/** `a-b` as in HTTP, so b is the last byte (RFC 9110, 14.1.2), or `{start, end}` as in our API, so end is exclusive. */
function readRange(value: unknown): Range {
  const range = typeof value === 'string' ? rangeFromText(value) : (value as Partial<Range>)
  const start = wholeNumber('range.start', range.start)
  const end = wholeNumber('range.end', range.end)
  if (end <= start) refuse('range must hold at least one byte', value)
  return { start, end }
}

function rangeFromText(text: string): Range {
  const shape = /^(?:bytes=)?(\d{1,15})-(\d{1,15})$/.exec(text)
  if (!shape) return refuse('range must be FIRST-LAST in bytes, as in 0-499', text)
  return { start: Number(shape[1]), end: Number(shape[2]) + 1 }
}
