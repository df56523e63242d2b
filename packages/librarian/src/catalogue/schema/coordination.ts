/** What processes agree on. */
import type { Instant } from '@arriero/api'
import type { Bit } from './values.ts'

export interface CoordinationTables {
  lease: LeaseTable
  setting: SettingTable
  outcome: OutcomeTable
}

/** Leases and single values: the catalogue's own UUID, the trail's heads. */
export interface LeaseTable {
  resource: string
  holder: string
  token: number
  expires: Instant
}

export interface SettingTable {
  key: string
  value: string
}

/** PostgreSQL only: transactions that have committed lately, so that a lost reply to COMMIT can be looked up (reliability 8.7). */
export interface OutcomeTable {
  /** 128 random bits in hex, made before the transaction. */
  id: string
  time: Instant
  /** 0: written by whoever looked it up and found nothing, so that it can never commit any more. */
  is_committed: Bit
}
