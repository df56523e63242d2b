import { createHash, randomUUID } from 'node:crypto'
import { HASH_NAMES, type HashName, hashOf, type Stored } from './content-hashes.ts'
import type { BundleOptions, ContentOptions, RecordOptions } from './options.ts'
import type { Location } from './storage.ts'

/** What indexd knows of an object. */
export interface ObjectRecord {
  readonly form: 'object' | null
  readonly guid: string
  readonly baseid: string
  readonly rev: string
  readonly name: string | null
  readonly size: number | null
  readonly hashes: Readonly<Record<string, string>>
  readonly acl: readonly string[]
  readonly authz: readonly string[]
  readonly locations: readonly Location[]
  readonly aliases: readonly string[]
  readonly created: string
  readonly stored: Stored
}

export interface BundleRecord {
  readonly form: 'bundle'
  readonly guid: string
  readonly name: string
  readonly contents: readonly ContentOptions[]
  readonly hashes: BundleOptions['hashes']
  readonly created: string
}

export type CommonsRecord = ObjectRecord | BundleRecord

/** A record without its locations. */
export function makeRecord(options: RecordOptions, defaultPrefix: string): Omit<ObjectRecord, 'locations'> {
  const { prefix = defaultPrefix, content, version = 0, isBlank = false, acl } = options
  const uuid = randomUUID()
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const stored: Stored = { bytes, size: bytes?.length ?? options.size ?? 1000, version }
  const guid = options.id ?? withPrefix(prefix, uuid)
  return {
    form: options.form === undefined ? 'object' : options.form,
    guid,
    baseid: options.baseid ?? randomUUID(),
    rev: randomUUID().slice(0, 8),
    name: options.name === undefined ? `${uuid}.dat` : options.name,
    size: isBlank ? null : (options.recordedSize ?? stored.size),
    hashes: isBlank ? {} : hashesOf(stored, options.hashes),
    acl: acl ?? [],
    authz: options.authz ?? (acl ? [] : ['/programs/test']),
    aliases: options.aliases ?? [],
    created: '2026-01-02T03:04:05.678901',
    stored,
  }
}

export function makeBundle(options: BundleOptions, defaultPrefix: string): BundleRecord {
  const { prefix = defaultPrefix, contents, hashes } = options
  const uuid = randomUUID()
  return {
    form: 'bundle',
    guid: options.id ?? withPrefix(prefix, uuid),
    name: options.name ?? `bundle-${uuid.slice(0, 8)}`,
    contents: contents.map(content => (typeof content === 'string' ? { id: content } : content)),
    hashes,
    created: '2026-01-02T03:04:05.678901',
  }
}

export function withPrefix(prefix: string, id: string): string {
  return prefix === '' ? id : `${prefix.replace(/\/$/, '')}/${id}`
}

/** Over the sorted digests of the children (gen3 9.2), when each has one. */
export function bundleMd5(children: readonly (string | undefined)[]): string | undefined {
  if (children.length === 0 || children.includes(undefined)) return undefined
  return createHash('md5').update(children.toSorted().join('')).digest('hex')
}

function hashesOf(stored: Stored, wanted: RecordOptions['hashes'] = ['md5']): Record<string, string> {
  if (wanted === false) return {}
  if (!isNames(wanted)) return { ...wanted }
  return Object.fromEntries(wanted.map(name => [name, hashOf(stored, name)]))
}

function isNames(wanted: NonNullable<RecordOptions['hashes']>): wanted is readonly HashName[] {
  if (!Array.isArray(wanted)) return false
  const stranger = wanted.find(name => !HASH_NAMES.includes(name))
  if (stranger !== undefined) throw new TypeError(`Cannot compute ${stranger}: known are ${HASH_NAMES.join(', ')}`)
  return true
}
