/** What a commons knows of an object, from DRS or from indexd, in one shape (gen3 6.1, 6.3). */
import type { Checksum } from '../integrity/checksum.ts'
import { parseChecksum } from '../integrity/parse-checksum.ts'

export interface CommonsObject {
  readonly id: string
  /** An outside name; may hold slashes. */
  readonly name?: string | undefined
  readonly size?: number | undefined
  readonly checksums: readonly Checksum[]
  readonly methods: readonly AccessMethod[]
  /** Not empty for bundles. */
  readonly contents: readonly Member[]
  /** Registered before its bytes arrived. */
  readonly isBlank: boolean
  /** Milliseconds since 1970. */
  readonly createdAt?: number | undefined
}

/** One way to the bytes. */
export interface AccessMethod {
  /** `https`, `s3`, `gs`, `ftp`, … */
  readonly type: string
  readonly accessId?: string | undefined
  /** A URI that may be fetched, or one of a store. */
  readonly url?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly cloud?: string | undefined
  readonly isAvailable: boolean
}

/** A part of a bundle. */
export interface Member {
  readonly name: string
  /** Where it is: a DRS URI, or an id at the same host. */
  readonly uri?: string | undefined
  readonly id?: string | undefined
  readonly contents: readonly Member[]
}

type Fields = Readonly<Record<string, unknown>>

/** Undefined for what is no DRS object. */
export function objectFromDrs(value: unknown): CommonsObject | undefined {
  if (!isFields(value) || typeof value.id !== 'string') return undefined
  const contents = listOf(value.contents).flatMap(memberOf)
  const checksums = listOf(value.checksums).flatMap(given =>
    isFields(given) ? checksumOf(String(given.type), given.checksum) : [],
  )
  const methods = listOf(value.access_methods).flatMap(methodOf)
  return {
    id: value.id,
    name: textOf(value.name),
    size: sizeOf(value.size),
    checksums,
    methods,
    contents,
    isBlank: contents.length === 0 && methods.length === 0 && checksums.length === 0,
    createdAt: timeOf(value.created_time),
  }
}

/** Undefined for what is no indexd record. */
export function objectFromIndexd(value: unknown): CommonsObject | undefined {
  if (!isFields(value) || typeof value.did !== 'string') return undefined
  const urls = listOf(value.urls).filter(url => typeof url === 'string')
  const hashes = isFields(value.hashes) ? value.hashes : {}
  return {
    id: value.did,
    name: textOf(value.file_name),
    size: sizeOf(value.size),
    checksums: Object.entries(hashes).flatMap(([name, digest]) => checksumOf(name, digest)),
    methods: urls.map(url => {
      const type = url.slice(0, url.indexOf(':')).toLowerCase()
      return { type, accessId: type, url, isAvailable: true }
    }),
    contents: [],
    isBlank: urls.length === 0,
    createdAt: timeOf(`${String(value.created_date)}Z`),
  }
}

/** Names and notations as they occur; what cannot be understood proves nothing and is left out (gen3 9.2). */
function checksumOf(type: string, value: unknown): Checksum[] {
  if (typeof value !== 'string' || value === '') return []
  const name = type.toLowerCase().replace('-', '')
  try {
    return [parseChecksum(ALGORITHMS[name] ?? name, value)]
  } catch {
    return []
  }
}

const ALGORITHMS: Readonly<Record<string, string>> = { crc: 'crc32', etag: 's3_etag' }

function methodOf(value: unknown): AccessMethod[] {
  if (!isFields(value) || typeof value.type !== 'string') return []
  const access = isFields(value.access_url) ? value.access_url : undefined
  return [
    {
      type: value.type.toLowerCase(),
      accessId: textOf(value.access_id),
      url: textOf(access?.url ?? value.access_url),
      headers: headersOf(access?.headers),
      cloud: textOf(value.cloud),
      isAvailable: value.available !== false,
    },
  ]
}

/** `Name: value` each; some services send an object. */
export function headersOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (isFields(value)) {
    const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    return entries.length > 0 ? Object.fromEntries(entries) : undefined
  }
  const entries = listOf(value).flatMap(line => {
    const match = typeof line === 'string' ? /^([^:\s]+):\s*(.*)$/.exec(line) : undefined
    return match ? [[match[1], match[2]] as [string, string]] : []
  })
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

/** `drs_uri` is an array in the specification and text at Gen3. */
function memberOf(value: unknown): Member[] {
  if (!isFields(value)) return []
  const uris = Array.isArray(value.drs_uri) ? value.drs_uri : [value.drs_uri]
  return [
    {
      name: textOf(value.name) ?? textOf(value.id) ?? '',
      id: textOf(value.id),
      uri: uris.find(uri => typeof uri === 'string' && uri !== '') as string | undefined,
      contents: listOf(value.contents).flatMap(memberOf),
    },
  ]
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function sizeOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}
