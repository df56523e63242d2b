/**
 * The door of the engine: everything that other packages and users may import.
 *
 * @module
 */

export { download, whereTo } from './download.ts'
export { type Downloads, downloadAll, type Entries } from './download-all.ts'
export { createEngine, type Engine } from './engine.ts'
export { type ErrorCode, type ErrorDetails, errorTable, isRetriable, TransferError } from './errors.ts'
export type { Emit, EventLevel, EventStage, TransferEvent } from './events.ts'
export type { HookContext, Hooks } from './hooks.ts'
export { algorithmByName, digestAlgorithms } from './integrity/algorithms.ts'
export type { Algorithm, Checksum, OfferedChecksum } from './integrity/checksum.ts'
export { formatChecksum, parseChecksum, parseChecksumArgument } from './integrity/parse-checksum.ts'
export type { Check, Expectation, Verification } from './integrity/verification.ts'
export { consume, iterate, iterateUnordered, type Piece, readAll } from './iterate.ts'
export { isListing, type ListOptions, list } from './list.ts'
export { type BadRow, type Entry, isBadRow, type Row, type RowReason } from './manifest/entry.ts'
export { type ManifestOptions, parseManifest } from './manifest/parse-manifest.ts'
export { readBag } from './manifest/read-bag.ts'
export { fileNameFor } from './names/file-name.ts'
export type { NamedLayout } from './names/layout.ts'
export {
  type Duplicate,
  type NamePlan,
  type NamePlanOptions,
  type Placed,
  type Placement,
  planNames,
  type Refused,
  type Skipped,
  type Unnamed,
} from './names/plan.ts'
export { NameRegistry } from './names/registry.ts'
export { resolveTarget } from './names/target.ts'
export { open, type Reader } from './open.ts'
export type * from './options.ts'
export { probe } from './probe.ts'
export { type FileProgress, type FileState, Progress } from './progress.ts'
export { printable, redactText, redactUrl } from './redact.ts'
export type { EntityTag, Range, Resource } from './resource.ts'
export type { DownloadResult, EntryResult, RunSummary, Timings } from './results.ts'
export type { Chunk, Earlier, Sink } from './sink.ts'
export type { Answer, FetchRequest, Landing, Listed, ListRequest, Source, SourceCapabilities } from './source.ts'
export { type VerifyFileOptions, verifyFile } from './verify-file.ts'
