import { type Context, printJson, warn } from '../context.ts'
import {
  type Engine,
  type EngineDoor,
  type ItemResult,
  type PipelineProgress,
  type PipelineRun,
  type PipelineSummary,
  withEngine,
} from '../engine.ts'
import { exitCodes } from '../exit-codes.ts'
import { openReport, type Report } from '../get/report.ts'
import { engineOptions, fetchOptions } from '../options/fetch.ts'
import { AT_WORK } from '../profile/panel-plans.ts'
import { type ProfileNotes, withProfile } from '../profile/with-profile.ts'
import { progressMode } from '../progress/with-progress.ts'
import { count } from '../text.ts'
import type { LoadedPipeline } from './load-pipeline.ts'
import { failureLine, itemRow, stageLines, summaryLine, warningLine } from './outcome.ts'
import type { RunFlags } from './run-flags.ts'
import { withStages } from './view.ts'

/** Failures on the screen; the report has all. */
const MOST_TOLD = 20

/** `arriero run`: every item's end is told once, and the exit code says whether some failed. */
export async function runPipeline(loaded: LoadedPipeline, flags: RunFlags, context: Context): Promise<number> {
  const { signal } = context
  const { state, fresh, recheck, maxFailures, maxItems } = flags
  const made = await loaded.make()
  const options = { ...engineOptions(flags, context), cpuWorkers: flags.workers, cpuWorkerHeap: flags.workerMemory }
  return withEngine(options, (engine, door) =>
    withProfile(context, flags, { engine, door, phase: 'pipeline' }, notes => run(engine, door, notes)),
  )

  async function run(engine: Engine, door: EngineDoor, { counters }: ProfileNotes): Promise<number> {
    const onError = flags.stopOnError ? ('stop' as const) : ('continue' as const)
    const { signal: _, ...fetch } = fetchOptions(flags, context, [])
    const running = made.start({ engine, signal, fetch, state, fresh, recheck, maxFailures, maxItems, onError })
    countItems(running.progress, counters)
    context.onInterrupt = () => hint(flags, running.progress)
    const report = flags.report === undefined ? undefined : openReport(flags.report)
    try {
      const mode = progressMode(context, flags.progress)
      const summary = await withStages(context, mode, running.progress, () =>
        tellAll(running, report, flags, context, door),
      )
      const row = { summary: { ok: summary.failed === 0, ...summary } }
      report?.add(row)
      if (context.flags.json) printJson(context, row)
      else if (!context.flags.quiet) tellSummary(summary, context)
      return summary.failed === 0 ? exitCodes.ok : exitCodes.someFailed
    } finally {
      report?.close()
    }
  }
}

/** In a profile, beside what the engine does: read when a sample is taken. */
function countItems(progress: PipelineProgress, counters: Record<string, number>): void {
  const figures = {
    items_done: () => progress.done,
    items_failed: () => progress.failed,
    items_in_flight: () => progress.inFlight,
    item_bytes: () => progress.heldBytes,
    ...Object.fromEntries(progress.stages.map(stage => [`${AT_WORK}${stage.name}`, () => stage.active])),
  }
  for (const [name, get] of Object.entries(figures)) Object.defineProperty(counters, name, { enumerable: true, get })
}

async function tellAll(
  run: PipelineRun<unknown, unknown>,
  report: Report | undefined,
  flags: RunFlags,
  context: Context,
  door: EngineDoor,
): Promise<PipelineSummary> {
  let failures = 0
  for await (const result of run) {
    const label = door.labelOf(result.item)
    const row = itemRow(result, label)
    report?.add(row)
    if (context.flags.json) printJson(context, row)
    else tell(result, label)
  }
  const untold = failures - MOST_TOLD
  const where = flags.report === undefined ? '--report FILE has them all' : `see ${flags.report}`
  if (untold > 0 && !isChatty(context)) context.say(`… and ${untold.toLocaleString('en-US')} more failures; ${where}`)
  return run.summary

  function tell(result: ItemResult, label: string): void {
    for (const line of warningLine(result, label)) warn(context, line)
    if (!result.ok) {
      failures++
      if (failures <= MOST_TOLD || isChatty(context)) context.say(failureLine(result, label, context.style))
    } else if (result.status === 'dropped' && result.reason !== undefined && !context.flags.quiet) {
      context.say(`dropped item ${result.index + 1} (${label}): ${result.reason}`)
    }
  }
}

function isChatty({ flags }: Context): boolean {
  return flags.verbosity > 0
}

function tellSummary(summary: PipelineSummary, { say, style }: Context): void {
  if (summary.items > summary.skipped && summary.stages.length > 0) for (const line of stageLines(summary)) say(line)
  say(summaryLine(summary, style))
}

function hint({ state }: RunFlags, { done, skipped, unchanged }: PipelineProgress): string {
  if (state === undefined) return 'The same command again begins anew; with --state FILE it would continue.'
  return `${count(done + skipped + unchanged, 'item')} done; the same command again continues from here.`
}
