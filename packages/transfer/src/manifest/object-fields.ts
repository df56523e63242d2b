import { algorithmByName } from '../integrity/algorithms.ts'
import { redactUrl } from '../redact.ts'
import type { Draft } from './draft.ts'
import type { Fields } from './entry.ts'
import { digestOf, isUrl, listOf, mapOf, placesOf, textOf, uri, wholeNumber } from './field-values.ts'
import { refuse, refuseAs } from './problem.ts'
import type { RowShape } from './shape.ts'

type ReadField = (draft: Draft, key: string, value: unknown) => void

/** Null, and text without any character, count as absent. */
export function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined && value !== ''
}

/**
 * Reads a row that names an object of a commons, with the field names of Gen3's and GDC's tools and of PFB (gen3 4.1). Its URLs come
 * behind the object itself. What is not known is kept in `extra`; fields that all lists share go to `readShared`.
 *
 * @throws RowProblem
 */
export function readObjectFields(fields: Fields, shape: RowShape, readShared: ReadField): Draft {
  const draft: ObjectDraft = {}
  const idKey = shape.idKeys!.find(key => isPresent(fields[key]))
  for (const key in fields) {
    const value = fields[key]
    if (key !== idKey && isPresent(value)) readField(draft, key, value, readShared)
  }
  const places = idKey === undefined ? [] : readId(draft, idKey, fields, shape)
  if (draft.size === undefined) delete draft.size
  return { ...draft, uris: [...places, ...(draft.places ?? [])] }
}

interface ObjectDraft extends Draft {
  commons?: string
  places?: string[]
  /** Whether `path` is the user's and not the object's own name. */
  hasPath?: boolean
}

function readField(draft: ObjectDraft, key: string, value: unknown, readShared: ReadField): void {
  switch (key) {
    case 'commons_url':
      draft.commons = commonsHost(value)
      break
    case 'file_name':
    case 'filename':
      if (!draft.hasPath) draft.path = nameOf(key, value)
      break
    case 'filepath':
      readShared(draft, key, value)
      draft.hasPath = true
      break
    case 'file_size':
    case 'size':
    case 'filesize':
    case 's3_file_size':
    case 'gs_file_size':
      readSize(draft, key, value)
      break
    case 'md5sum':
    case 'md5':
    case 'md5_hash':
    case 'md5hash':
    case 'file_md5sum':
      addDigest(draft, key, 'md5', value)
      break
    case 'hash':
      addDigest(draft, key, algorithmOfLength(value), value)
      break
    case 'sha1':
    case 'sha256':
    case 'sha512':
    case 'crc32c':
    case 'crc32':
    case 'etag':
      addDigest(draft, key, key, value)
      break
    case 'sha1sum':
    case 'sha256sum':
    case 'sha512sum':
      addDigest(draft, key, key.slice(0, -3), value)
      break
    case 'crc':
      addDigest(draft, key, 'crc32', value)
      break
    case 'hashes':
    case 'checksums':
      readHashes(draft, key, value)
      break
    case 'url':
    case 'urls':
    case 's3_path':
    case 'gs_path':
    case 'aws_uri':
    case 'gcp_uri':
      draft.places = [...(draft.places ?? []), ...cellOf(value).map(item => uri(item, key))]
      break
    case 'checksum':
    case 'checksum-algorithm':
    case 'headers':
    case 'priority':
    case 'range':
      readShared(draft, key, value)
      break
    default:
      if (key.startsWith('pfb:') && PFB_COMPANIONS.has(key)) readField(draft, key.slice(4), value, readShared)
      else keep(draft, key, value)
  }
}

const PFB_COMPANIONS = new Set(
  'file_name file_size file_md5sum md5sum md5 sha1 sha256 sha512 crc32 crc32c'.split(' ').map(name => `pfb:${name}`),
)

function keep(draft: ObjectDraft, key: string, value: unknown): void {
  draft.extra ??= Object.create(null) as Record<string, unknown>
  draft.extra[key] = value
}

// The object

const DRS_KEYS = ['drs_uri', 'ga4gh_drs_uri', 'pfb:drs_uri', 'pfb:ga4gh_drs_uri']

function readId(draft: ObjectDraft, key: string, fields: Fields, { scheme, mayBeUrl }: RowShape): readonly string[] {
  const text = textOf(key, fields[key], 'no_id').trim()
  if (mayBeUrl && isUrl(text) && !/^d[ro]s:|^https?:.*\/ga4gh\/drs\/v1\/objects\//i.test(text)) return [uri(text, key)]
  draft.id = text
  if (scheme === 'gdc') return [gdcUri(key, text)]
  const places = placesOf(key, text, draft.commons, 'no_id')
  return places[0]!.startsWith('drs://') ? places : (placesOfUri(fields, key, text) ?? places)
}

/** The row's DRS URI, where it says of which commons a bare id is. */
function placesOfUri(fields: Fields, idKey: string, id: string): readonly string[] | undefined {
  for (const key of DRS_KEYS) {
    const text = fields[key]
    if (key === idKey || typeof text !== 'string' || !text.toLowerCase().endsWith(encodedEnd(id))) continue
    return placesOf(key, textOf(key, text, 'no_id'), undefined, 'no_id')
  }
  return undefined
}

/** What a DRS URI of the id ends with: the part that no encoding changes. */
function encodedEnd(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1).toLowerCase()
}

function gdcUri(key: string, text: string): string {
  return /^[\w.-]+$/.test(text)
    ? `gdc:${text}`
    : refuseAs('no_id', `${key} must be an id of letters, digits and dashes`, text)
}

/** With or without scheme and slash; what is behind the host is not looked at, as all services of a commons share it. */
function commonsHost(value: unknown): string {
  const text = textOf('commons_url', value, 'bad_commons').trim()
  const plain = /^(?:https?:\/\/)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?)\/*$/i.exec(text)?.[1]
  if (plain !== undefined && !/:(?:6553[6-9]|655[4-9]\d|65[6-9]\d\d|6[6-9]\d{3}|[7-9]\d{4}|0+)$/.test(plain)) {
    return plain.toLowerCase()
  }
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`)
  const isPlace =
    url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && !/[?#\s\\]/.test(text)
  return isPlace ? url.host : refuseAs('bad_commons', 'commons_url must be a host or an http(s) URL', redactUrl(text))
}

// Its name and size

/** Whatever may be unsafe in it is for the plan of names. */
function nameOf(key: string, value: unknown): string {
  if (typeof value !== 'string') return refuseAs('bad_name', `${key} must be a string`, value)
  return value.isWellFormed() ? value : refuseAs('bad_name', `${key} must be well-formed Unicode, got a lone surrogate`)
}

/** -1 says that nobody set it. */
function readSize(draft: ObjectDraft, key: string, value: unknown): void {
  if (value === -1 || value === '-1') return
  const size = wholeNumber(key, typeof value === 'string' ? value.trim() : value, 'bad_size')
  if (draft.size !== undefined && draft.size !== size) {
    refuseAs('bad_size', `${key} must agree with the row's other size, ${draft.size}`, value)
  }
  draft.size = size
}

// Its digests

function addDigest(draft: ObjectDraft, key: string, algorithm: string, value: unknown): void {
  const checksum = digestOf(algorithm, textOf(key, value, 'bad_md5'))
  const other = draft.checksums?.find(known => known.algorithm === checksum.algorithm)
  if (other === undefined) draft.checksums = [...(draft.checksums ?? []), checksum]
  else if (other.value !== checksum.value) {
    refuseAs('bad_md5', `${key} must agree with the row's other ${checksum.algorithm}, ${other.value}`, value)
  }
}

const byLength: Readonly<Record<number, string>> = { 40: 'sha1', 64: 'sha256', 128: 'sha512' }

/** MD5 is meant, though some write another one. */
function algorithmOfLength(value: unknown): string {
  return (typeof value === 'string' ? byLength[value.length] : undefined) ?? 'md5'
}

/** `{md5: …}` as in indexd, or `[{type, checksum}]` as in DRS; a row whose algorithms are all unknown keeps them as they are. */
function readHashes(draft: ObjectDraft, key: string, value: unknown): void {
  const known = hashesOf(key, value).filter(([name]) => algorithmByName(name) !== undefined)
  for (const [name, digest] of known) addDigest(draft, `${key}.${name}`, name, digest)
  if (known.length === 0) keep(draft, key, value)
}

function hashesOf(key: string, value: unknown): readonly (readonly [string, unknown])[] {
  if (!Array.isArray(value))
    return Object.entries(mapOf(key, value, 'bad_md5')).filter(([, digest]) => isPresent(digest))
  return value.map(item => {
    const { type, checksum } = mapOf(key, item, 'bad_md5')
    return typeof type === 'string'
      ? ([type, checksum] as const)
      : refuse(`${key} must name the type of each checksum`, item)
  })
}

// Its other places

/** A list, also as text: between blanks, or in brackets with or without quotes, as Python prints one. */
function cellOf(value: unknown): readonly unknown[] {
  if (typeof value !== 'string') return listOf(value).filter(isPresent)
  const text = value.trim()
  if (text.startsWith('[') && text.endsWith(']')) return itemsOf(text.slice(1, -1), /'([^']*)'|"([^"]*)"|[^\s,'"]+/g)
  const items = itemsOf(text, /'([^']*)'|"([^"]*)"|[^\s'"]+/g)
  // Keys of object stores have blanks: then it is one.
  return items.every(isUrl) ? items : [text]
}

function itemsOf(text: string, item: RegExp): string[] {
  return [...text.matchAll(item)].map(([whole, single, double]) => single ?? double ?? whole).filter(isPresent)
}
