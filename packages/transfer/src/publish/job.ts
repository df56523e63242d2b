/** Messages between the engine and its publish worker, sent as JSON. */

export type Conflict = 'error' | 'overwrite' | 'rename'

/** One verified file that is to appear under its final name. */
export interface PublishJob {
  readonly id: number
  /** Its bytes in the shared memory; undefined when `temp` holds them already, synced. */
  readonly content: { readonly address: number; readonly length: number } | undefined
  /** Private name in the same file system as `final`. */
  readonly temp: string
  readonly final: string
  /** The directory that everything goes into: it and those between are as new as the file, whoever made them. */
  readonly root?: string | undefined
  /** `final` holds the content already, proven; what is missing is only that it is durable. `temp` is the same name. */
  readonly isThere?: boolean | undefined
  readonly conflict: Conflict
  /** Modification time to set, ms since 1970. */
  readonly mtimeMs: number | undefined
  readonly isDurable: boolean
}

export type ToWorker =
  | { readonly kind: 'jobs'; readonly jobs: readonly PublishJob[] }
  /** Nothing else is coming soon: do not wait for a larger batch. */
  | { readonly kind: 'flush' }
  | { readonly kind: 'close' }

/** How a job ended: the name it got, or what the file system said. */
export type Outcome =
  | { readonly id: number; readonly path: string }
  | { readonly id: number; readonly failure: Failure }

export interface Failure {
  /** An errno name, e.g. `ENOSPC`. */
  readonly code: string
  readonly message: string
  readonly action: string
}

export type FromWorker =
  /** The bytes of these are out of the shared memory. */
  | { readonly kind: 'written'; readonly ids: readonly number[] }
  | { readonly kind: 'published'; readonly outcomes: readonly Outcome[] }
