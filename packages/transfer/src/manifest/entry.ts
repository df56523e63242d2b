import type { TransferError } from '../errors.ts'
import type { Checksum } from '../integrity/checksum.ts'
import type { EntityTag, Range } from '../resource.ts'

/**
 * One row of a manifest, whatever its form. Everything in it is an outside word: `path` goes through `resolveTarget`,
 * `headers` may hold secrets and are never printed.
 */
export interface Entry {
  /** Position in the manifest from 0; bad rows count. */
  readonly index: number
  /** Line on which the row begins, from 1. */
  readonly line?: number | undefined
  /** The object's id as the row wrote it, in lists of data commons (gen3 4.1). */
  readonly id?: string | undefined
  /** Places of the very same bytes, preferred first. Empty in checksum lists, which are for verifying only. */
  readonly uris: readonly string[]
  /** Relative path, `/`-separated; ends with `/` when only a directory is named (getm: the name is appended). Unchecked. */
  readonly path?: string | undefined
  /** All must match. */
  readonly checksums: readonly Checksum[]
  /** Bytes. */
  readonly size?: number | undefined
  /** Request headers by name, on an object without a prototype. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly etag?: EntityTag | undefined
  /** Version id (S3) or generation (GCS). */
  readonly version?: string | undefined
  /** Lower is sooner, as in Metalink. */
  readonly priority?: number | undefined
  /** Fetch only these bytes. */
  readonly range?: Range | undefined
  /** What the row said beyond that, unchanged, on an object without a prototype; returned with the result. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined
}

/** A row that cannot be used. It does not stop the others. */
export interface BadRow {
  /** As in `Entry`. */
  readonly index: number
  readonly line?: number | undefined
  /** Code Usage; the message names the row, what must hold and what was met. */
  readonly error: TransferError
  /** The field at fault; undefined when the row could not be read at all, or for other fields. */
  readonly reason?: RowReason | undefined
}

/**
 * What is wrong with a row (gen3 4.3). `no_id`: it names neither an object nor a URL. `bad_md5`: a digest, whichever.
 * `bad_commons`: `commons_url`.
 */
export type RowReason = 'no_id' | 'bad_size' | 'bad_md5' | 'bad_url' | 'bad_name' | 'bad_commons'

/** A row of a manifest: an entry, or one that cannot be used. */
export type Row = Entry | BadRow

/** Whether a row cannot be used. */
export function isBadRow(row: Row): row is BadRow {
  return 'error' in row
}

/** What a row says before it is checked: getm's keys and their superset (retrieval 16), those of data commons (gen3 4.1), any others. */
export type Fields = Readonly<Record<string, unknown>>
