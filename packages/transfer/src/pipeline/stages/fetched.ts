import type { Verification } from '../../integrity/verification.ts'
import type { Resource } from '../../resource.ts'
import type { ItemInFlight } from '../item.ts'
import type { Placed } from '../located.ts'

/** What every fetched item tells of itself. */
export interface Fetched {
  /** Redacted. */
  readonly uri: string
  /** Bytes. */
  readonly size: number
  readonly resource: Resource
  readonly verification: Verification
}

/** Fetches one item's content. */
export type Take<Content extends Fetched> = (placed: Placed, item: ItemInFlight) => Promise<Content>
