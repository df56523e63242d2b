import type { Checksum } from '../integrity/checksum.ts'
import { parseChecksum } from '../integrity/parse-checksum.ts'
import { findUnsafeCharacter } from '../names/characters.ts'
import { redactUrl } from '../redact.ts'
import type { EntityTag, Range } from '../resource.ts'
import type { Entry, Fields } from './entry.ts'
import { parseJsonRow } from './json-row.ts'
import { refuse } from './problem.ts'

const NOTHING: readonly Checksum[] = []

interface Draft {
  url?: string
  uris?: readonly string[]
  path?: string
  checksum?: string
  checksumAlgorithm?: string
  checksums?: readonly Checksum[]
  size?: number
  headers?: Record<string, string>
  etag?: EntityTag
  version?: string
  priority?: number
  range?: Range
  extra?: Record<string, unknown>
}

/**
 * Checks the fields of one row and brings them into one shape. Values may be text where another type is meant, as in CSV;
 * null, and text without any character, count as absent.
 *
 * @throws RowProblem, or TransferError Usage from the checksum's parser.
 */
export function toEntry(fields: Fields, index: number, line: number): Entry {
  const draft = readFields(fields)
  const range = draft.range
  if (range && draft.size !== undefined && range.end > draft.size) {
    refuse(`range must end within the size of ${draft.size} bytes`, fields.range)
  }
  return {
    index,
    line,
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
    if (value === null || value === undefined || value === '') continue
    readField(draft, key, value)
  }
  return draft
}

function readField(draft: Draft, key: string, value: unknown): void {
  switch (key) {
    case 'url':
      draft.url = uri(value)
      break
    case 'urls':
      draft.uris = listOf(value).map(uri)
      break
    case 'filepath':
      draft.path = textOf('filepath', value)
      break
    case 'checksum':
      draft.checksum = textOf('checksum', value)
      break
    case 'checksum-algorithm':
      draft.checksumAlgorithm = textOf('checksum-algorithm', value)
      break
    case 'checksums':
      draft.checksums = readChecksums(value)
      break
    case 'size':
      draft.size = wholeNumber('size', value)
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
  if (checksum === undefined) refuse('checksum-algorithm requires checksum', undefined)
  if (checksumAlgorithm === undefined) refuse('checksum requires checksum-algorithm (such as sha256) beside it')
  return [parseChecksum(checksumAlgorithm, checksum), ...(checksums ?? NOTHING)]
}

const KNOWN_SCHEMES = '(?:https?|ftps?|sftp|s3|gs)'
/** A scheme of two letters or more (one is a drive), and a host where we know that there must be one. */
const SHAPE = new RegExp(`^(?:${KNOWN_SCHEMES}://[^/?#\\s]|(?!${KNOWN_SCHEMES}:)[a-z][a-z0-9+.-]+:.)`, 'i')

function uri(value: unknown): string {
  const text = textOf('url', value)
  if (!SHAPE.test(text))
    refuse('url must be absolute, with a scheme and a host, as in https://host/path', redactUrl(text))
  // Keys of object stores have blanks; in HTTP one would end the request's target.
  if (/^https?:.*\s/i.test(text)) refuse('url must have its blanks percent-encoded', redactUrl(text))
  return text
}

/** Well-formed Unicode without control characters: what is written into requests, paths and logs. */
function textOf(field: string, value: unknown): string {
  if (typeof value !== 'string') refuse(`${field} must be a string`, value)
  const character = findUnsafeCharacter(value)
  if (character !== undefined) refuse(`${field} must not contain control or bidi characters, got ${character}`)
  if (!value.isWellFormed()) refuse(`${field} must be well-formed Unicode, got a lone surrogate`)
  return value
}

function wholeNumber(field: string, value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  return refuse(`${field} must be a whole number from 0 to 2^53 - 1`, value)
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value !== 'string') return refuse('urls must be an array of strings', value)
  if (!value.startsWith('[')) return value.trim().split(/\s+/)
  const list = parseJsonRow(value)
  return Array.isArray(list) ? list : refuse('urls must be an array of strings', value)
}

function mapOf(field: string, value: unknown): Readonly<Record<string, unknown>> {
  const map = typeof value === 'string' && value.startsWith('{') ? parseJsonRow(value) : value
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return refuse(`${field} must be an object`, value)
  return map as Readonly<Record<string, unknown>>
}

function readChecksums(value: unknown): Checksum[] {
  const checksums: Checksum[] = []
  for (const [name, digest] of Object.entries(mapOf('checksums', value))) {
    checksums.push(parseChecksum(name, textOf(`checksums.${name}`, digest)))
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
