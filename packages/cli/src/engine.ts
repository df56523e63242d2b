/**
 * The one place that knows the engine. It is loaded when a command needs it: `--help` and `completion` never do.
 */
import type { Engine, EngineOptions } from '@arriero/transfer'

export type {
  Algorithm,
  BadRow,
  ChecksumInput,
  CommonsOptions,
  CompletePipeline,
  Credential,
  DownloadManifestOptions,
  DownloadOptions,
  DownloadResult,
  Engine,
  EngineOptions,
  Entry,
  EntryResult,
  EventLevel,
  FetchOptions,
  FileProgress,
  HookClock,
  Hooks,
  HooksOption,
  IfExists,
  ItemResult,
  Listed,
  ListOptions,
  MadeHooks,
  ManifestResult,
  ManifestRun,
  ManifestSummary,
  NamePlan,
  OptionDefinition,
  Outcome,
  Phase,
  PipelineProgress,
  PipelineRun,
  PipelineSummary,
  ProfileSummary,
  Progress,
  Resource,
  RunSummary,
  S3Options,
  Sample,
  TransferEvent,
  Verification,
  WorkerHook,
} from '@arriero/transfer'

export type EngineDoor = typeof import('@arriero/transfer')

export function loadEngine(): Promise<EngineDoor> {
  return import('@arriero/transfer')
}

/** Runs something with an engine of its own, and closes it whatever happens. */
export async function withEngine<Result>(
  options: EngineOptions,
  use: (engine: Engine, door: EngineDoor) => Promise<Result>,
): Promise<Result> {
  const door = await loadEngine()
  const engine = door.createEngine(options)
  try {
    return await use(engine, door)
  } finally {
    await engine.close()
  }
}
