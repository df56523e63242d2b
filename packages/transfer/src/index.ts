/**
 * The door of the engine: everything that other packages and users may import.
 *
 * @module
 */

export type { ArchiveEntry } from './archive/archive-entry.ts'
export { type ArchivePart, ArchivePlan } from './archive/archive-plan.ts'
export { type ArchiveHandler, ArchiveReader } from './archive/archive-reader.ts'
export { type Clock, systemClock } from './clock.ts'
export { type Credential, parseCredentials, readCredentials, tokenCredential } from './commons/credentials.ts'
export { logIn } from './commons/log-in.ts'
export type { CommonsOptions } from './commons/options.ts'
export { download, whereTo } from './download.ts'
export { type Downloads, downloadAll } from './download-all.ts'
export { downloadManifest } from './download-manifest.ts'
export { createEngine, type Engine } from './engine.ts'
export type { Entries } from './entries.ts'
export { type ErrorCode, type ErrorDetails, errorTable, isRetriable, TransferError } from './errors.ts'
export type { Emit, EventLevel, EventStage, TransferEvent } from './events.ts'
export { type MadeHooks, makeHooks } from './hooks/open-hooks.ts'
export type { HookClock } from './hooks/times.ts'
export type * from './hooks.ts'
export { algorithmByName, digestAlgorithms } from './integrity/algorithms.ts'
export type { Algorithm, Checksum, OfferedChecksum } from './integrity/checksum.ts'
export { formatChecksum, parseChecksum, parseChecksumArgument } from './integrity/parse-checksum.ts'
export type { Check, Expectation, Verification } from './integrity/verification.ts'
export { consume, iterate, iterateUnordered, type Piece, readAll } from './iterate.ts'
export { isListing, type ListOptions, list, listEach } from './list.ts'
export { rowOfListed } from './listing/row.ts'
export { type BadRow, type Entry, isBadRow, type Row, type RowReason } from './manifest/entry.ts'
export type { Outcome, OutcomeStatus } from './manifest/outcome.ts'
export { type ManifestOptions, parseManifest } from './manifest/parse-manifest.ts'
export { readBag } from './manifest/read-bag.ts'
export type { DownloadManifestOptions, ManifestResult, ManifestRun, ManifestSummary } from './manifest/run.ts'
export type {
  Method,
  MethodItem,
  MethodName,
  MethodStanding,
  MethodState,
  TransferDetails,
  TransferOptions,
} from './method.ts'
export { type CopyMethodOptions, createCopyMethod } from './methods/copy.ts'
export { createGlobusMethod, type GlobusMethodOptions, type GlobusServices } from './methods/globus.ts'
export { createRsyncMethod, type RsyncMethodOptions, type SshHost } from './methods/rsync.ts'
export { fileNameFor } from './names/file-name.ts'
export type { NamedLayout } from './names/layout.ts'
export { MemberNames } from './names/member-names.ts'
export type { Duplicate, Placed, Refused, Skipped, Unnamed } from './names/plan.ts'
export { type NamePlan, type NamePlanOptions, type Placement, planNames } from './names/plan.ts'
export { NameRegistry } from './names/registry.ts'
export { resolveTarget } from './names/target.ts'
export { open, type Reader } from './open.ts'
export type * from './options.ts'
export { formatOwner, lifeOf, newOwner, parseOwner } from './owner.ts'
export { describeTree, type TreeDescription, type TreeMember } from './paths/describe-tree.ts'
export {
  createPathDigester,
  type DigestPathOptions,
  digestPath,
  type PathDescription,
  type PathDigester,
} from './paths/digest-path.ts'
export {
  algorithmOf,
  createPathHasher,
  digestBytesBy,
  loadPathFunctions,
  type PathDigests,
  type PathFunction,
  type PathHasher,
  pathFunctions,
} from './paths/path-digests.ts'
export {
  define,
  isPipeline,
  isPipelineDefinition,
  type OptionDefinition,
  type PipelineDefinition,
} from './pipeline/define.ts'
export { type ItemContext, labelOf, type ThreadContext, type Written } from './pipeline/item.ts'
export type { Located } from './pipeline/located.ts'
export type { RunOptions } from './pipeline/options.ts'
export {
  type CompletePipeline,
  type List,
  type Pipeline,
  type PipelineOptions,
  type PipelineRun,
  type Place,
  pipeline,
  type ThreadFunction,
} from './pipeline/pipeline.ts'
export type { PipelineProgress, StageProgress } from './pipeline/progress.ts'
export type { ItemResult, PipelineSummary } from './pipeline/results.ts'
export { drop, type StageOptions } from './pipeline/stage.ts'
export type { FetchToFiles, FetchToMemory } from './pipeline/stages/fetch-options.ts'
export type { FetchedFile } from './pipeline/stages/fetch-to-files.ts'
export type { FetchedBytes } from './pipeline/stages/fetch-to-memory.ts'
export type { WriteOptions } from './pipeline/stages/write.ts'
export { probe } from './probe.ts'
export { type BaseFields, baseMetrics, type Mark, type OwnFields, type Sample, units } from './profile/fields.ts'
export { percentile } from './profile/percentile.ts'
export { type Phase, phasesOf } from './profile/phases.ts'
export { createProfiler, type Profiler, type ProfilerOptions } from './profile/profiler.ts'
export { type Profile, parseTime as parseProfileTime, readProfile } from './profile/read-profile.ts'
export {
  type MetricSummary,
  type MetricValues,
  metricsOf,
  type ProfileSummary,
  summarise,
} from './profile/summarise.ts'
export type { SystemCounters, SystemReader } from './profile/system/counters.ts'
export { type FileProgress, type FileState, Progress } from './progress.ts'
export { makeDirectories } from './publish/directories.ts'
export type { Reach } from './reach.ts'
export { type CsvOptions, type CsvRow, readCsv } from './read-csv.ts'
export { printable, redactText, redactUrl } from './redact.ts'
export type { EntityTag, Range, Resource } from './resource.ts'
export type { DownloadResult, EntryResult, RunSummary, Timings } from './results.ts'
export { allocateShared } from './shared-memory.ts'
export type { Chunk, Earlier, Sink } from './sink.ts'
export { type Slot, Slots } from './slots.ts'
export type { Answer, FetchRequest, Landing, Listed, ListRequest, Source, SourceCapabilities } from './source.ts'
export type { GsOptions } from './sources/gs/options.ts'
export type { S3CredentialProvider, S3Credentials, S3Options } from './sources/s3/options.ts'
export { type VerifyFileOptions, verifyFile } from './verify-file.ts'
export { bindEngineImports } from './workers/engine-imports.ts'
export { createHashPool, type HashPool } from './workers/hash-pool.ts'
