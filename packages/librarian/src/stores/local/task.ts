/** What the store's threads are asked to do. Everything here crosses a thread, so it is plain data. */
import type { ErrorCode } from '@arriero/api'
import type { PathDigests } from '@arriero/transfer'
import type { Prepared, Publication, Published, Reading, Stat, WantedWhole, Whole, WorkState } from '../store.ts'
import type { Layout } from './layout.ts'
import type { Modes } from './modes.ts'

export interface Place {
  /** The file system makes clones. */
  readonly canClone: boolean
  readonly layout: Layout
  readonly modes: Modes
}

/** One upload to be brought to a private inode. */
export interface TakeJob {
  /** Of the private copy. */
  readonly copy: string
  /** For messages. */
  readonly what: string
  readonly from: 'staging' | 'spool' | 'place' | 'memory'
  /** Below the staging area, the spool, or the store's root; of what comes from memory, none. */
  readonly segments: readonly string[]
  /** From memory: all of it. */
  readonly bytes?: Uint8Array | undefined
  readonly size: number
  readonly checksum: string | undefined
  /** Of a spool: what it holds is an archive of a tree. */
  readonly archive?: 'tar' | undefined
  /** Of a spool: what was digested while it was written. */
  readonly digests?: PathDigests | undefined
}

export interface Taken extends Prepared {
  readonly copy: string
}

export interface PublishJob extends Publication {
  /** Names of private copies that may be it; more than one after a crash. */
  readonly copies: readonly string[]
  /** This process prepared it: its one copy need not be read again. */
  readonly isKnown: boolean
}

export interface ExamineJob {
  readonly name: string
  readonly checksum: string
  readonly isDirect: boolean
  readonly trashId?: string | undefined
  readonly nonces?: readonly string[] | undefined
}

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: PlainError }

/** A `LibrarianError` on its way between threads. */
export interface PlainError {
  readonly code: ErrorCode
  readonly message: string
  /** What the system called it, as `EIO`: on it depends what becomes of the disk. */
  readonly system?: string | undefined
}

export interface DirectoryLook {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** By kind: what is asked, what is answered. */
export interface Tasks {
  /** Copies and digests; nothing is durable yet. */
  take: { ask: readonly TakeJob[]; answer: readonly Answer<Taken>[] }
  /** Makes copies durable; of those that cannot be, nothing is left. */
  secure: { ask: readonly Pick<Taken, 'copy' | 'kind'>[]; answer: readonly Answer<null>[] }
  publish: { ask: readonly PublishJob[]; answer: readonly Answer<Published>[] }
  adopt: { ask: PublishJob; answer: Published }
  replace: { ask: PublishJob & { readonly quarantineId: string }; answer: Published }
  inspect: { ask: PublishJob; answer: WorkState }
  /** Removes private copies. */
  discard: { ask: readonly string[]; answer: null }
  stat: { ask: string; answer: Stat | null }
  seal: { ask: string; answer: Stat | null }
  readWhole: {
    ask: { wanted: readonly WantedWhole[]; room: SharedArrayBuffer | undefined }
    answer: readonly (Whole | null)[]
  }
  examine: { ask: readonly ExamineJob[]; answer: readonly Answer<Reading>[] }
  trash: { ask: { readonly name: string; readonly id: string }; answer: null }
  restore: { ask: { readonly name: string; readonly id: string }; answer: null }
  purge: { ask: string; answer: null }
  openStaging: {
    ask: {
      readonly ids: readonly string[]
      readonly spares: readonly string[]
      readonly mode: number | undefined
    }
    answer: readonly Answer<DirectoryLook>[]
  }
  /** `room`: how many may be kept, emptied, where they look alike. True: it was. */
  removeStaging: {
    ask: { readonly ids: readonly string[]; readonly room: number; readonly like: DirectoryLook | undefined }
    answer: readonly Answer<boolean>[]
  }
}

export type TaskKind = keyof Tasks

export type Request = {
  [Kind in TaskKind]: {
    readonly kind: Kind
    readonly ask: Tasks[Kind]['ask']
    readonly place: Place
    /** Not 0: stop. */
    readonly stop: Int32Array
  }
}[TaskKind]
