import type { Verification } from '../../integrity/verification.ts'
import type { Resource } from '../../resource.ts'

/** What every fetched item tells of itself. */
export interface Fetched {
  /** Redacted. */
  readonly uri: string
  /** Bytes. */
  readonly size: number
  readonly resource: Resource
  readonly verification: Verification
}
