/**
 * A store: a place at this site where files are kept under their own names (librarian 7, reliability 2 A, 7).
 *
 * It knows bytes, names and directories, and nothing of users or the catalogue. Every content becomes visible in the same
 * three steps, and each may be repeated after a crash with the same end:
 *
 * 1. `prepare` brings what was staged or spooled to a private inode that only this server ever wrote, digests it there,
 *    compares, and makes it durable. What was hashed is what will be published (A5).
 * 2. `publish` gives it its final name without replacing anything, and makes the name durable (A1).
 * 3. `settle` removes what is no longer needed. Losing this step loses nothing.
 *
 * Between them the caller writes its intents and rows (reliability 8.11). Names are those of the catalogue: relative,
 * checked by `api`, never beginning with `.arriero`. All methods take many at once where that saves barriers: one directory
 * is synced once per call, not once per file. A failed item never fails its neighbours.
 */
import type { Instant, LibrarianError } from '@arriero/api'
import type { PathFunction } from '@arriero/transfer'
import type { CopyState, FileKind } from '../catalogue/schema.ts'
import type { Keeper } from './keeper.ts'

export interface Store extends AsyncDisposable {
  readonly name: string
  readonly type: 'local' | 's3' | 'memory'
  readonly capabilities: StoreCapabilities

  /** Looks now; never throws. A disk that is not there, or is another one, is unavailable, not empty (B4). */
  state(): Promise<StoreState>

  /**
   * Makes it the store of the catalogue that it was opened for, whosever it was (reliability B4). Only where the operator has
   * said so, and before anything is read from it: another process that has it open notices before its next step.
   *
   * @returns whose it was, if it was another's
   */
  takeOver(): Promise<Keeper | undefined>

  /** As instances show it: an absolute path, or an object's URL. */
  pathOf(name: string): string

  // ——— Staging: what others write (`capabilities.hasStaging`) ———

  /**
   * A directory for one upload, open to other programs on this site. May be called twice.
   *
   * @param id a UUID: the directory's name
   * @param options.leadsIn makes the directories that the upload's name leads through, but for the last: a real sender makes that
   * one alone (librarian 9.1). Default: none of them
   * @returns where to put the upload, absolute: `<staging>/<id>/<uploadName>`
   */
  openStaging(id: string, uploadName: string, options?: { readonly leadsIn?: boolean }): Promise<string>

  /** Removes it with all that is in it; nothing to remove is success. */
  removeStaging(id: string): Promise<void>

  /** Directories in the staging area that have the form of ours, for sweeping. */
  stagings(): AsyncIterable<string>

  // ——— Spool: what this server writes itself ———

  /**
   * Opens, or makes, the private file for bytes that arrive over HTTP or through the engine. Of an opened one, `offset` is
   * what was durable before, and later bytes are gone.
   *
   * @param options.functions what `append` computes besides SHA-256; `prepare` reads the bytes again for any other. Default:
   * xxh3. An empty list: nothing at all is computed, for an archive, whose own digest nobody asks for
   * @param options.keepsLater later bytes stay: for the engine, which finds out itself what those at `path` are worth. Default: false
   * @param options.turn where several processes write to one store: rises with each that opens this spool. What this process
   *   remembers of it counts only if the turn before was its own. Default: no other process writes
   * @param options.isTakenOver whoever had the turn before may still write: it goes on in an inode that only this one has opened
   */
  openSpool(id: string, options?: SpoolOptions): Promise<Spool>

  /** Bytes of it that are durable; 0 where there is none. Changes nothing, so another process may be writing it. */
  spoolOffset(id: string): Promise<number>

  removeSpool(id: string): Promise<void>

  spools(): AsyncIterable<string>

  // ——— Commit ———

  /**
   * Step 1. Resolves to one outcome per work, in order, when all that succeeded is durable.
   * Errors: `StagedNotFound`, `Mismatch` (size or checksum; the message has both), `Unacceptable` (a link, pipe, device,
   * hard link, changed while it was read, a name in a tree that is none), `BadArchive` (anything in an archive but plain files
   * and directories, each once and under a name that others can use), `NoSpace`, `StoreUnavailable`.
   */
  prepare(works: readonly Work[], options?: { signal?: AbortSignal }): Promise<Outcome<Prepared>[]>

  /**
   * Step 2. Resolves when names and contents are durable. `FileExists` where the name leads to something else, or lies in
   * or above something; an equal work that already is there is success.
   */
  publish(works: readonly Publication[]): Promise<Outcome<Published>[]>

  /**
   * Step 2 of what lies in its place (`capabilities.canAdopt`): the private copy takes the name over from what others put
   * there, so that what was hashed is what is kept, and nobody holds it open (A5). A file's name is absent at no instant; a
   * tree's for that of two renames. May be repeated. `FileExists` where the name leads to other bytes by now, which then stay;
   * `Unacceptable` where the server may not replace what lies there.
   */
  adopt(work: Publication): Promise<Published>

  /**
   * Step 2 of a repair: like `publish`, but the name is there, with bytes that are proven bad. They go to the quarantine
   * under `id` first, as evidence (B5): what is there, if anything is, readable or not. May be repeated. A file's name is absent at no instant; a tree's for that of two renames.
   */
  replace(work: Publication, id: string): Promise<Published>

  /** Step 3, and the way out of step 1: removes the private copies of these works. Never a published name. */
  settle(ids: readonly string[]): Promise<void>

  /** What a crash has left of a work: reads and compares, changes nothing. */
  inspect(work: Publication): Promise<WorkState>

  /** Ids of private copies that are there, for sweeping. */
  works(): AsyncIterable<string>

  // ——— Reading ———

  /** Undefined: nothing under this name. Never follows links. */
  stat(name: string): Promise<Stat | undefined>

  /**
   * What others have put under a name, and somebody else's catalogue had: content that is committed from now on, though nobody
   * here has read it. Its modes are changed and nothing else; may be repeated. Undefined: nothing is there, or nothing that is
   * kept.
   */
  seal(name: string): Promise<Stat | undefined>

  /** Opens a file, or a member of a tree by its path below it. `NotFound`, `StoreUnavailable`. */
  open(name: string, member?: string): Promise<OpenFile>

  /**
   * Whole small files, at a fraction of the price of opening each; in their order. Undefined where it is cheaper to open it, or
   * only that tells why it cannot be had: nothing of just this size is there, or nothing that can be read.
   *
   * @param room for all of their bytes, with nobody else in it. Default: new memory
   */
  readWhole(wanted: readonly WantedWhole[], room?: SharedArrayBuffer): Promise<(Whole | undefined)[]>

  /**
   * Reads everything under a name in full and digests it. Bad bytes are a finding, not an error (C2).
   *
   * @param checksum the recorded wire checksum, whose function is used again
   */
  examine(name: string, options: ExamineOptions): Promise<Reading>

  /**
   * The same for many, which costs less for small ones than asking for each. In their order; an error is about this machine, as
   * that it has no descriptors left, and says nothing of the bytes.
   */
  examineAll(works: readonly Examination[], options?: ReadOptions): Promise<Outcome<Reading>[]>

  // ——— Removal: only the deletion gate calls these (reliability B) ———

  /** Moves it to the store's trash; both directories are durable when it resolves. May be repeated. */
  trash(name: string, id: string): Promise<void>

  /** Puts it back under its name. `FileExists` if that is taken. */
  restore(name: string, id: string): Promise<void>

  /** Removes it from the trash, or the quarantine, for ever. Nothing under this id is success. */
  purge(id: string): Promise<void>

  // ——— Survival (reliability G) ———

  /** What lies in the trash and in the quarantine, for sweeping. */
  removed(): AsyncIterable<Removed>

  /** Appends to the store's manifest trail; durable when it resolves. */
  appendTrail(records: readonly TrailRecord[]): Promise<void>

  /**
   * Adds to the list for `sha256sum -c` (G2) what it lacks of these, which the trail has and which are kept: a crash between the
   * two, and the catalogue lost with it, would leave it so. Durable when it resolves; for many, in pages.
   */
  completeList(records: readonly TrailRecord[]): Promise<void>

  /**
   * What the trail has, with its chains checked, in no order that means anything (`TrailRecord.order`). A torn last record is
   * left out. What follows a break is not believed: see `TrailReading`.
   */
  readTrail(reading?: TrailReading): AsyncIterable<TrailRecord>

  /**
   * Everything below the root that is not ours in private: for rebuild and reconcile. Of a store that somebody has made in this
   * one its root is told, as `store`, and nothing in it.
   */
  scan(options?: { signal?: AbortSignal }): AsyncIterable<Scanned>
}

export interface StoreCapabilities {
  /** Other programs on this machine can write into its staging area. */
  readonly hasStaging: boolean
  /** `pathOf` is a path that other programs on this machine can read. */
  readonly hasPaths: boolean
  /** It keeps directories as one file. */
  readonly hasTrees: boolean
  /** Others may hold open for writing what lies under a name; where not, it is proven as it lies. */
  readonly canAdopt: boolean
}

export type StoreState =
  | {
      readonly available: true
      /** Bytes that may still be used, after `report_full_fraction` and the reserve; at least 0. */
      readonly free: number
      readonly total: number
      /** Why `free` is 0 although bytes may be left. */
      readonly lacks?: 'inodes' | undefined
      /** Of the marker file. */
      readonly uuid: string
      /** Of what holds the bytes: copies on one device are lost together, and count once (reliability 1). */
      readonly device?: string | undefined
    }
  | ({ readonly available: false } & Unavailable)

export interface Unavailable {
  readonly reason: string
  /** Where it is more than to bring the disk back. */
  readonly remedy?: string | undefined
  /** Of the marker that is there, where it is another's: somebody has mounted the wrong disk. */
  readonly otherUuid?: string | undefined
  /** The right store, and another catalogue's. */
  readonly otherKeeper?: Keeper | undefined
  /** It could not be looked at, for want of descriptors or memory: that says nothing about the store. */
  readonly isUnseen?: boolean | undefined
}

export interface SpoolOptions {
  readonly functions?: readonly PathFunction[]
  readonly keepsLater?: boolean
  readonly turn?: number
  readonly isTakenOver?: boolean
}

/** Bytes that this server writes itself: one writer at a time, resumable. */
export interface Spool extends AsyncDisposable {
  /** For the engine, which writes files. */
  readonly path: string
  /** Bytes that are durable now: what a client may be told (reliability 5). */
  readonly offset: number
  /**
   * Writes at `offset`; digests on the way, so that `prepare` need not read it again. Resolves to the new durable offset,
   * also when the body broke off; an error of the disk condemns the spool.
   *
   * @param options.accept asked when the body has ended or broken off, before any of it counts; where it says false, none of
   *   it does, and the offset is what it was
   */
  append(
    body: AsyncIterable<Uint8Array>,
    options?: { signal?: AbortSignal; limit?: number; accept?: () => boolean },
  ): Promise<number>
}

/** A commit at the level of bytes. */
export interface Work {
  /** Of the intent: 32 hex digits. Part of the private copy's name. */
  readonly id: string
  /** Fencing token of the intent: a private copy with an older one is not touched by a newer and the other way round. */
  readonly token: number
  readonly origin:
    | { readonly from: 'staging'; readonly id: string; readonly uploadName: string }
    | {
        readonly from: 'spool'
        readonly id: string
        /** The spool holds a tree, as a POSIX archive: `prepare` unpacks it. */
        readonly archive?: 'tar' | undefined
      }
    /** What others have put under its final name (`capabilities.canAdopt`). */
    | { readonly from: 'place'; readonly name: string }
    /** What came whole, and small: nothing of it is anywhere else, so a crash before `prepare` has ended leaves nothing. */
    | { readonly from: 'memory'; readonly bytes: Uint8Array }
  /** Of the file, or of all files of the tree; never of an archive. */
  readonly size: number
  /** Wire form (librarian 6.1); undefined for an upload that is explicitly unattested. */
  readonly checksum: string | undefined
}

export interface Prepared {
  readonly kind: FileKind
  readonly size: number
  /** Wire form, by the function of `work.checksum`, or xxh3. */
  readonly checksum: string
  /** Hex: of the bytes, or of the manifest. */
  readonly sha256: string
  /** Of a tree: lines of JSON sorted by path. */
  readonly manifest: string | undefined
}

export interface Publication {
  readonly id: string
  readonly token: number
  readonly name: string
  readonly kind: FileKind
  readonly size: number
  readonly sha256: string
  /**
   * The spool that it came from, if it did: no longer needed once the final name is durable, and removed with the private copy,
   * before the fingerprint is taken.
   */
  readonly spool?: string | undefined
}

export interface Published {
  readonly path: string
  readonly fingerprint: string
}

/** `published`: the final name has these bytes · `prepared`: only the private copy has · `foreign`: the name has others. */
export type WorkState = 'published' | 'prepared' | 'foreign' | 'absent'

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: LibrarianError }

export interface Stat {
  readonly kind: FileKind
  /** Of a file; for a tree 0. */
  readonly size: number
  /** Changes whenever the bytes may have. */
  readonly fingerprint: string
}

export interface WantedWhole {
  readonly name: string
  /** Bytes that it must have. */
  readonly size: number
}

export interface Whole {
  readonly bytes: Uint8Array
  readonly fingerprint: string
}

export interface OpenFile extends AsyncDisposable {
  readonly size: number
  readonly fingerprint: string
  /** Of a local file, for the shortest way to a socket; it stays this object's. */
  readonly fd: number | undefined
  /** Bytes `start` to `end`, end exclusive, in pieces of about a MiB. A short file is an error. */
  read(start: number, end: number, options?: { signal?: AbortSignal }): AsyncIterable<Uint8Array>
}

export interface ExamineOptions extends ReadOptions {
  readonly kind: FileKind
  readonly checksum: string
  /** What lies in the trash under this id, instead of what has the name. */
  readonly trashId?: string | undefined
}

export interface Examination extends Pick<ExamineOptions, 'kind' | 'checksum' | 'trashId'> {
  readonly name: string
}

export interface ReadOptions {
  /** Read past the page cache where the store can (reliability 7.12). */
  readonly isDirect?: boolean | undefined
  /** Hex: the same reading answers to them (`challenge.ts`). Default: none. */
  readonly nonces?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

export type Reading =
  | {
      readonly outcome: 'read'
      readonly size: number
      readonly checksum: string
      readonly sha256: string
      readonly manifest: string | undefined
      readonly fingerprint: string
      readonly medium: 'medium' | 'cache'
      /** To the nonces, in their order, in hex. */
      readonly answers: readonly string[]
    }
  | { readonly outcome: 'missing' | 'unreadable' | 'unavailable'; readonly reason: string }

export interface Removed {
  /** As `trash` or `replace` was told. */
  readonly id: string
  readonly place: 'trash' | 'quarantine'
}

/** A line of the trail: enough to make the catalogue's rows again. */
export interface TrailRecord {
  readonly action: 'commit' | 'trash' | 'restore' | 'purge' | 'repair'
  /**
   * From the catalogue (`trail-order.ts`). The line about a name that counts is the one with the greatest; where two have the
   * same, one says again what the other said, or it is a `restore` that takes the `trash` back.
   */
  readonly order: number
  /** For people: nothing is decided by it (reliability E4). */
  readonly time: Instant
  readonly name: string
  readonly kind: FileKind
  readonly size: number
  readonly checksum: string
  readonly sha256: string | null
  readonly is_attested: boolean
  readonly create_time: Instant
  readonly uploader: string
  readonly source: string
  readonly deletion_policy: 'DISALLOWED' | 'ALLOWED'
  /** Where another librarian has it from (librarian Q11). */
  readonly first_uploader?: string | undefined
  /** Members of a tree with their digests. */
  readonly manifest?: string | undefined
  /** Of a `repair` alone: what went to the quarantine. Where the name's bytes are, such a line does not say. */
  readonly repair?: TrailRepair | undefined
}

export interface TrailRepair {
  /** In the quarantine, as `replace` was told. */
  readonly id: string
  /** Of the copy. */
  readonly path: string
  /** What the reading before it had found. */
  readonly found: CopyState
  /** Where the good bytes came from. */
  readonly source: string
  readonly actor: string
}

export interface TrailReading {
  /** Told of each break, and what is sound is read on. Default: the reading rejects with `Internal` there. */
  readonly report?: ((problem: TrailBreak) => void) | undefined
  /**
   * Given each record behind a break that is as it was written, though nobody knows what is missing before it: nothing to
   * believe, but its number must not be given again.
   */
  readonly disbelieve?: ((record: TrailRecord) => void) | undefined
}

export interface TrailBreak {
  /** Segment and line, or object, for people. */
  readonly place: string
  readonly reason: string
}

export interface Scanned {
  /** Undefined where the raw name is no UTF-8, or not one that the catalogue takes. */
  readonly name: string | undefined
  /** For messages. */
  readonly shown: string
  readonly kind: 'file' | 'directory' | 'other' | 'store'
  readonly size: number
  /** Of a directory: by its modes it is one that was committed, or lies in one. */
  readonly isCommitted?: boolean | undefined
}
