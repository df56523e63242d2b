/** What the steps of a repair share. */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Log } from '../../log.ts'
import type { Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import type { CopyReader } from '../copies/read-copies.ts'
import type { Presence } from '../presence.ts'
import type { Upstream } from './upstream.ts'

export interface RepairGround {
  readonly catalogue: Pick<Catalogue, 'instances' | 'repairs' | 'replacements' | 'intents' | 'remoteProofs'>
  readonly stores: Stores
  readonly reader: Pick<CopyReader, 'read'>
  readonly alarms: Alarms
  readonly presence: Pick<Presence, 'holder' | 'gone'>
  readonly upstream: Upstream
  readonly random: (bytes: number) => Buffer
  readonly log: Log
  /** Of proofs: this librarian. */
  readonly by: string
  /** How long the quarantine keeps bad bytes, s (reliability B5). */
  readonly keepSeconds: number
  /** Repairs on which this process works now: what is its own and not here was left by it. */
  readonly working: Set<string>
}
