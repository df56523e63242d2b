import type { Checksum } from '../integrity/checksum.ts'
import type { EntityTag, Range } from '../resource.ts'

/** What was read of a row so far. */
export interface Draft {
  id?: string
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
