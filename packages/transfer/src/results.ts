import type { HookTimes } from './hooks.ts'
import type { Verification } from './integrity/verification.ts'
import type { Entry } from './manifest/entry.ts'
import type { Resource } from './resource.ts'

/** Where the time of one file went, ms. */
export interface Timings {
  /** Until the head of the first answer. */
  readonly firstByteMs: number
  /** Until every byte had landed. */
  readonly fetchMs: number
  /** From then until digests were compared. */
  readonly verifyMs: number
  /** From then until the name was there and durable. */
  readonly publishMs: number
  readonly totalMs: number
  /** Spent in the caller's hooks; those that ran at once each count. */
  readonly hooksMs: number
  /** The same by hook; `resolve` and all from `onPlan` to `onVerify`. Undefined when none was called. */
  readonly hooks?: HookTimes | undefined
}

/** A file that is there, and what was proven of it. */
export interface DownloadResult {
  /** Redacted. */
  readonly uri: string
  /** Absolute path of the file. */
  readonly path: string
  readonly bytes: number
  /** `skipped`: what was there is provably the same. */
  readonly status: 'downloaded' | 'skipped'
  /** With `ifExists: 'repair'`: what was there was another file, and was replaced. */
  readonly isRepaired: boolean
  /** Bytes that an earlier run had left. */
  readonly resumedBytes: number
  /** Bytes received over the network, refetched ones included. */
  readonly networkBytes: number
  readonly isDurable: boolean
  readonly resource: Resource
  readonly verification: Verification
  readonly timings: Timings
  readonly retries: number
}

/** One entry's end, of many. */
export type EntryResult =
  | { readonly entry: Entry; readonly ok: true; readonly result: DownloadResult }
  | { readonly entry: Entry; readonly ok: false; readonly error: unknown }

/** What became of a list. */
export interface RunSummary {
  /** Time in the caller's hooks; undefined when none was called. */
  readonly hooks?: HookTimes | undefined
  readonly files: number
  readonly downloaded: number
  readonly skipped: number
  readonly failed: number
  readonly bytes: number
  readonly totalMs: number
}
