/**
 * Commits: how content gets a name (reliability 8.11, A1–A6). Uploads, bytes that came over HTTP, what was fetched, and files
 * that already lie in their place all go this way.
 *
 *   tx 1      the intent: reserves the name, and says all that is needed to finish it
 *   prepare   a private copy that nobody else ever wrote: digested, compared, durable
 *   tx 2      what was verified goes into the intent
 *   publish   the name, never over another; durable
 *   trail     a line in the store's own manifest; durable
 *   tx 3      file, instance, proof and transfer appear, the intent goes: all or nothing. Of another copy of a known file: all
 *             but the file
 *   answer    now it is acknowledged
 *   settle    private copy and staging go
 *
 * Killed before tx 2: nothing happened, and the transfer is open as before. Killed after it: recovery publishes what the
 * intent names, or says why it cannot. Steps run once per batch, not once per item; an item that fails leaves its batch.
 *
 * Not promised: that a request which failed with a code that is worth retrying (`Busy`, `StoreUnavailable`) changed nothing.
 * From `publish` on a commit can only go forward; where it cannot at the moment, the caller hears that, and recovery finishes
 * it. Asking again finds out. Nor that a slow tree leaves the small files of its own batch alone.
 */
import type { DeletionPolicy } from '../../catalogue/schema.ts'
import type { Work } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { Act } from '../act.ts'

export type CommitOrigin =
  | Extract<Work['origin'], { readonly from: 'staging' }>
  /** `stagingId`: the directory that was announced with it, for whoever would rather copy; it goes as well. */
  | (Extract<Work['origin'], { readonly from: 'spool' }> & { readonly stagingId?: string | undefined })
  /** What was fetched: what comes to nothing may be fetched again. */
  | (Extract<Work['origin'], { readonly from: 'memory' }> & { readonly stagingId?: string | undefined })
  /** It lies under its final name already: taken over from who wrote it, proven and registered. */
  | { readonly from: 'place' }

export interface CommitRequest {
  /** Checked by the caller. */
  readonly name: string
  readonly store: SiteStore
  readonly origin: CommitOrigin
  readonly size: number
  /** The sender's, unchanged; undefined where an upload is explicitly unattested. */
  readonly checksum: string | undefined
  /** Completed, or failed, together with the file. */
  readonly transferId?: number | undefined
  /** How the bytes came, for the transfer's row. */
  readonly manager?: string | undefined
  readonly deletionPolicy: DeletionPolicy
  readonly uploader: string
  readonly source: string
  readonly firstUploader?: string | undefined
  /** Another copy of a file that is known already, made by this clone transfer; the file's own row says whether it is attested. */
  readonly copy?: { readonly cloneTransferId: number; readonly isAttested: boolean } | undefined
  /** Default: when it is finished. */
  readonly createTime?: string | undefined
  /** Keeps others from what is committed while it is; default: nobody has it open for writing. */
  readonly hold?: (() => Promise<AsyncDisposable>) | undefined
  /** Of a privileged call: its entry goes into the audit in the transaction that makes the file appear (reliability F4). */
  readonly act?: Act | undefined
}

export interface Committed {
  /** `same`: the name had these very bytes already (A4). */
  readonly outcome: 'committed' | 'same'
}

export interface Commits extends AsyncDisposable {
  /**
   * Resolves when it is safe to tell the sender. May be called again for the same transfer at any time: a second call while
   * the first runs has its end.
   *
   * @throws LibrarianError `FileExists`, `NameTaken`, `StagedNotFound`, `Mismatch`, `Unacceptable`, `NoSpace`,
   * `StoreUnavailable`, `Busy`, `Conflict`. Where the code is not worth retrying, and for `NoSpace` and `Mismatch`, the
   * transfer is FAILED with the reason and its staging is gone; else it is open as before, and after a `Mismatch` from memory.
   */
  commit(request: CommitRequest): Promise<Committed>

  /** Whether this process works on that intent now. */
  isWorkingOn(intentId: string): boolean

  /** Takes no more, and resolves when what was begun has ended. */
  close(): Promise<void>
}
