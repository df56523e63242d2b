/** What the steps of a commit are given, and what they answer. */
import type { ErrorCode } from '@arriero/api'
import type { Selectable } from 'kysely'
import type { DeletionPolicy, FileKind, IntentTable } from '../../schema.ts'

export type Intent = Selectable<IntentTable>

/** What a commit starts with. */
export interface BeginWork {
  /** 32 hex digits. */
  readonly id: string
  readonly name: string
  readonly storeId: number
  /** JSON. */
  readonly origin: string
  readonly size: number
  readonly checksum: string | undefined
  readonly transferId: number | undefined
  /** How the bytes came, for the transfer's row. */
  readonly manager: string | null
  readonly deletionPolicy: DeletionPolicy
  readonly uploader: string
  readonly source: string
  readonly firstUploader: string | null
  readonly createTime: string | undefined
  /** Default: where it has a checksum. */
  readonly isAttested?: boolean | undefined
  /** Another copy of a file that is known, made by this clone transfer. */
  readonly cloneTransferId?: number | undefined
  /** JSON of the entry that the audit is to have with the file. */
  readonly act?: string | undefined
}

export type BeginOutcome =
  | {
      readonly outcome: 'begun'
      readonly token: number
      /** Of the file, when it is there; by the database's clock unless the work said one. */
      readonly createTime: string
      /** Of its line in the trail. */
      readonly order: number
    }
  /** The transfer was completed before: nothing is left to do. */
  | { readonly outcome: 'completed' }
  | { readonly outcome: 'refused'; readonly code: ErrorCode; readonly message: string }

export interface PreparedWork {
  readonly id: string
  readonly token: number
  readonly kind: FileKind
  readonly size: number
  readonly checksum: string
  readonly sha256: string
  readonly manifest: string | undefined
}

/**
 * `same`: the name already holds these very bytes, and the transfer is completed · `damaged`: it does by its row, but no copy of
 * them is known to be good · `other`: it holds different ones.
 */
export type PreparedOutcome = 'go' | 'same' | 'damaged' | 'other' | 'stale'

export interface PublishedWork {
  readonly id: string
  readonly token: number
  readonly path: string
  readonly fingerprint: string
}

export interface FailedWork {
  readonly id: string
  readonly token: number
  readonly reason: string
  /** The transfer stays open, for another attempt with the same bytes. */
  readonly keepsTransfer: boolean
}
