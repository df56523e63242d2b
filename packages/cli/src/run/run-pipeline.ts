import type { RunFlags } from '../commands/run.ts'
import { type Context, printJson, warn } from '../context.ts'
import { type EngineDoor, type ItemResult, type PipelineRun, type PipelineSummary, withEngine } from '../engine.ts'
import { exitCodes } from '../exit-codes.ts'
import { openReport, type Report } from '../get/report.ts'
import { engineOptions } from '../options/fetch.ts'
import { progressMode } from '../progress/view.ts'
import type { LoadedPipeline } from './load-pipeline.ts'
import { failureLine, itemRow, stageLines, summaryLine, warningLine } from './outcome.ts'
import { withStages } from './view.ts'

/** Failures on the screen; the report has all. */
const MOST_TOLD = 20

/** `arriero run`: every item's end is told once, and the exit code says whether some failed. */
export async function runPipeline(loaded: LoadedPipeline, flags: RunFlags, context: Context): Promise<number> {
  const { signal } = context
  const { state, fresh, recheck, maxFailures, maxItems } = flags
  const made = await loaded.make()
  const options = { ...engineOptions(flags, context), cpuWorkers: flags.threads, cpuWorkerHeap: flags.threadMemory }
  context.onInterrupt = () => hint(flags)
  return withEngine(options, async (engine, door) => {
    const onError = flags.stopOnError ? ('stop' as const) : ('continue' as const)
    const run = made.start({ engine, signal, state, fresh, recheck, maxFailures, maxItems, onError })
    const report = flags.report === undefined ? undefined : openReport(flags.report)
    try {
      const mode = progressMode(context, flags.progress)
      const summary = await withStages(context, mode, run.progress, () => tellAll(run, report, flags, context, door))
      const row = { summary: { ok: summary.failed === 0, ...summary } }
      report?.add(row)
      if (context.flags.json) printJson(context, row)
      else if (!context.flags.quiet) tellSummary(summary, context)
      return summary.failed === 0 ? exitCodes.ok : exitCodes.someFailed
    } finally {
      report?.close()
    }
  })
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
    report?.add(itemRow(result))
    if (context.flags.json) printJson(context, itemRow(result))
    else tell(result)
  }
  const untold = failures - MOST_TOLD
  const where = flags.report === undefined ? '--report FILE has them all' : `see ${flags.report}`
  if (untold > 0 && !isChatty(context)) context.say(`… and ${untold.toLocaleString('en-US')} more failures; ${where}`)
  return run.summary

  function tell(result: ItemResult): void {
    const label = door.labelOf(result.item)
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

function hint({ state }: RunFlags): string {
  if (state !== undefined) return 'The same command again continues from here.'
  return 'The same command again begins anew; with --state FILE it would continue.'
}
