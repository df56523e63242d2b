/** Clones that other librarians send here, as far as their calls go (librarian 10.3, 11.4). */
import type { MethodState } from '@arriero/transfer'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { Caller } from '../../routes/route.ts'
import type { SiteStore } from '../../stores/stores.ts'

export interface Announcement {
  readonly size: number
  readonly checksum: string
  /** Where it is put within its staging directory: a name, often the future one. */
  readonly uploadName: string
  /** The future name. */
  readonly name: string
  readonly uploader: string
  readonly sourceTransferId: number
}

export interface StagedClone {
  readonly transfer: IncomingTransfer
  /** UUID. */
  readonly stagingName: string
  /** Absolute; the upload's own name included. */
  readonly stagingLocation: string
}

export interface StagedClones {
  readonly store: SiteStore
  /** What the store has left beside all that was announced to it. */
  readonly free: number
  /** In the order of the call; those whose names nobody may use are left out. */
  readonly clones: readonly StagedClone[]
}

/** By name, in the order in which they are preferred. */
export type Offer = Readonly<Record<string, MethodState>>

export interface Pair {
  readonly sourceTransferId: number
  readonly destinationTransferId: number
}

export interface Clones {
  /** @throws LibrarianError `BadSize`, `BadName`, `NoStore`, `FileExists`, `TransferOngoing`, `TransferReplaced`, `Denied` */
  stage(announcement: Announcement & { readonly source: string }, caller: Caller): Promise<StagedClones>

  /**
   * All of them, or none. A name that nobody may use is left out, so that one does not keep its batch away for ever.
   *
   * @param announced.total bytes of all, as the sender says
   * @throws LibrarianError as `stage`, with the numbers of those that are in the way
   */
  stageMany(
    announced: { readonly source: string; readonly total: number; readonly clones: readonly Announcement[] },
    caller: Caller,
  ): Promise<StagedClones & { readonly methods: Offer }>

  /** @throws LibrarianError `NotFound`, `NotYours`, `Conflict` unless it is INITIATED */
  ongoing(pair: Pair, caller: Caller): Promise<void>
  /** @throws LibrarianError `NotFound`, `NotYours`, `Conflict` unless it is ONGOING */
  staged(pair: Pair, caller: Caller): Promise<void>
  /** May be repeated. @throws LibrarianError `NotFound`, `NotYours`, `Conflict` where it is kept or being committed */
  fail(pair: Pair & { readonly reason: string }, caller: Caller): Promise<void>
  /** Has the bytes of transfers fetched from their sender. May be repeated. */
  pull(
    pairs: readonly Pair[],
    caller: Caller,
  ): Promise<{
    readonly accepted: readonly number[]
    readonly refused: readonly { readonly id: number; readonly reason: string }[]
  }>
}
