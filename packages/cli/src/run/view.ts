/** How a pipeline stands, while it runs. */
import type { Context } from '../context.ts'
import type { PipelineProgress } from '../engine.ts'
import { createRate } from '../progress/measure.ts'
import type { ProgressMode } from '../progress/with-progress.ts'
import { jsonLine, printable, shorten } from '../text.ts'
import { formatClock } from '../units.ts'

interface View {
  readonly everyMs: number
  show(lines: readonly string[], progress: PipelineProgress): void
  stop?(): void
}

/** Shows it while `work` goes on. */
export async function withStages<Result>(
  context: Context,
  mode: ProgressMode,
  progress: PipelineProgress,
  work: () => Promise<Result>,
): Promise<Result> {
  if (mode === 'none') return work()
  const view = await createView(context, mode)
  const rate = createRate()
  const startedAt = performance.now()
  const { columns } = context.terminal.stderr
  const timer = setInterval(() => {
    const now = performance.now()
    const perSecond = rate(endedIn(progress), now)
    view.show(
      stageTexts(progress, perSecond, now - startedAt).map(line => shorten(line, columns - 1)),
      progress,
    )
  }, view.everyMs)
  // It alone keeps no program alive: that nothing else does must be seen (stray.ts).
  timer.unref()
  try {
    return await work()
  } finally {
    clearInterval(timer)
    view.stop?.()
  }
}

async function createView(context: Context, mode: Exclude<ProgressMode, 'none'>): Promise<View> {
  if (mode === 'json') {
    return { everyMs: 500, show: (_, progress) => context.say(jsonLine({ event: 'progress', ...progress })) }
  }
  if (mode === 'plain') return { everyMs: 10_000, show: lines => context.say(lines.at(-1) as string) }
  const { createRedrawnLines } = await import('../progress/redrawn-lines.ts')
  // Functions of a pipeline say what they like, and where.
  const lines = createRedrawnLines(context, context.terminal.stdout.isTTY ? ['stderr', 'stdout'] : ['stderr'])
  return { everyMs: 100, show: texts => lines.show(texts), stop: () => lines.stop() }
}

function endedIn({ done, dropped, failed, unchanged, skipped }: PipelineProgress): number {
  return done + dropped + failed + unchanged + skipped
}

/** A line for each stage, and one for the whole: the last. */
function stageTexts(progress: PipelineProgress, perSecond: number, elapsedMs: number): string[] {
  const { stages, listed, isListed, failed, inFlight } = progress
  const width = Math.max(0, ...stages.map(({ name }) => name.length))
  const texts = stages.map(({ name, active, waiting, passed, failed }) => {
    const parts = [`${passed} passed`, `${active} at work`, `${waiting} waiting`]
    if (failed > 0) parts.push(`${failed} failed`)
    return `${printable(name).padEnd(width)}  ${parts.join(', ')}`
  })
  const of = `${endedIn(progress)} of ${listed}${isListed ? '' : '+'} items`
  const parts = [of, `${inFlight} under way`, `${perSecond.toFixed(perSecond < 10 ? 1 : 0)}/s`]
  if (failed > 0) parts.push(`${failed} failed`)
  return [...texts, `${parts.join(', ')}, ${formatClock(elapsedMs)}`]
}
