/** Uploads: announce, bring the bytes, commit (librarian 10.2, 11.2). */
import type { IncomingTransfer, TransferSearch } from '../../catalogue/operations/uploads.ts'
import type { DeletionPolicy } from '../../catalogue/schema.ts'
import type { Caller } from '../../routes/route.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { CommitOrigin, Committed } from '../commit/commits.ts'

export interface StageRequest {
  readonly size: number
  /** The sender's. Undefined only with `isUnattested`. */
  readonly checksum: string | undefined
  /** Said explicitly: the sender has no digest (reliability A7). */
  readonly isUnattested?: boolean
  /** One part: the name of what is put into the staging area. */
  readonly uploadName: string
  /** The future name. */
  readonly name: string
  readonly uploader: string
  /** It is a directory: only stores that keep such are asked. Default: whichever store has room. */
  readonly isTree?: boolean
}

export interface Staged {
  readonly transfer: IncomingTransfer
  readonly store: SiteStore
  /** What the store has left beside all that was announced to it. */
  readonly free: number
  /** UUID. */
  readonly stagingName: string
  /** Absolute; the upload's own name included. */
  readonly stagingLocation: string
  /** By manager's name, in the order in which clients try them. */
  readonly providers: Readonly<Record<string, object>>
}

export interface UploadCommitRequest {
  readonly transferId: number
  /** As told at the announcement; anything else is refused. */
  readonly storeName?: string | undefined
  readonly name?: string | undefined
  /** Of the manager that was used. */
  readonly provider?: string | undefined
  readonly deletionPolicy: DeletionPolicy
}

export type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error }

export type ListRequest = Omit<TransferSearch, 'owner'>

export interface UploadCommitted extends Committed {
  /** Of the file. */
  readonly name: string
}

/** A way for bytes to come, beside the stores' own managers (librarian 8). */
export interface UploadProvider {
  readonly name: string
  /** What clients are told; with `hostnames: []`, or real clients cannot read the answer. Undefined: not for this upload. */
  offer(transfer: IncomingTransfer, store: SiteStore): ({ readonly hostnames: readonly string[] } & object) | undefined
  /** Where the bytes lie when this provider was used. */
  originOf(transfer: IncomingTransfer): CommitOrigin
}

export interface Uploads {
  /** @throws LibrarianError `BadRequest`, `BadSize`, `BadName`, `TooLarge`, `FileExists`, `NoStore` */
  stage(request: StageRequest, caller: Caller): Promise<Staged>
  /** One outcome per request, in order, for the price of one transaction. */
  stageMany(requests: readonly StageRequest[], caller: Caller): Promise<Attempt<Staged>[]>
  /** May be repeated: a transfer that its owner completed stays completed. @throws as `Commits.commit`, `NotFound`, `NotYours`, `UnknownStore` */
  commit(request: UploadCommitRequest, caller: Caller): Promise<UploadCommitted>
  commitMany(requests: readonly UploadCommitRequest[], caller: Caller): Promise<Attempt<UploadCommitted>[]>
  /** Ends an upload that is not wanted any more; its bytes go. @throws `NotFound`, `NotYours`, `Conflict` */
  abort(transferId: number, caller: Caller): Promise<IncomingTransfer>
  /** One's own; an administrator sees all. Newest first. */
  list(request: ListRequest, caller: Caller): Promise<IncomingTransfer[]>
  /** @throws `NotFound`, also for what is another user's */
  get(transferId: number, caller: Caller): Promise<IncomingTransfer>
  /** Ends uploads that nobody has committed for so long; resolves to how many. */
  expire(olderThanSeconds: number): Promise<number>
}
