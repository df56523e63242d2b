import type { ChecksumInput } from '../options.ts'
import type { Range } from '../resource.ts'

/** Where an item's content is. Entries of manifests and names of listings have this shape. */
export interface Located {
  /** One of `uri` and `uris` must be there. */
  readonly uri?: string | undefined
  /** Places of the very same bytes, preferred first. */
  readonly uris?: readonly string[] | undefined
  /** For `fetch` to files: the name, relative to its directory. */
  readonly path?: string | undefined
  /** Bytes. */
  readonly size?: number | undefined
  /** All must match. */
  readonly checksums?: readonly ChecksumInput[] | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Fetch only these bytes. */
  readonly range?: Range | undefined
}

/** A place made definite. */
export type Placed = Located & { readonly uris: readonly [string, ...string[]] }

/** A place as functions may give it, made definite; undefined for anything else. */
export function locatedOf(value: unknown): Placed | undefined {
  if (typeof value === 'string' && value !== '') return { uris: [value] }
  if (value instanceof URL) return { uris: [value.href] }
  if (value === null || typeof value !== 'object') return undefined
  const { uri, uris = uri === undefined ? undefined : [uri] } = value as Located
  if (!Array.isArray(uris) || !uris.every(each => typeof each === 'string' && each !== '')) return undefined
  const [first, ...others] = uris
  return first === undefined ? undefined : { ...value, uris: [first, ...others] }
}

export const A_PLACE = 'a URL, { uri } or { uris }, or drop(reason)'
