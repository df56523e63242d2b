import type { Context } from '../context.ts'
import type { Progress } from '../engine.ts'
import { createMeasure, type MeasureOptions } from './measure.ts'
import type { View } from './view.ts'

export const progressModes = ['bar', 'plain', 'json', 'none'] as const
export type ProgressMode = (typeof progressModes)[number]

const everyMs = 100

/** What is shown when nobody said: bars for a person, lines for a log, nothing for a program that reads JSON. */
export function progressMode(context: Context, wanted: ProgressMode | undefined): ProgressMode {
  if (context.flags.quiet) return 'none'
  if (wanted) return wanted
  const { stderr, env } = context.terminal
  if (stderr.isTTY && env.TERM !== 'dumb') return 'bar'
  return context.flags.json ? 'none' : 'plain'
}

/** Shows the progress while `work` runs. */
export async function withProgress<Result>(
  context: Context,
  mode: ProgressMode,
  progress: Progress,
  options: MeasureOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  if (mode === 'none') return await work()
  const view = await createView(context, mode, options)
  const measure = createMeasure(progress, options)
  // Whatever goes wrong with showing must not hurt what is shown.
  const timer = setInterval(() => view.update(measure, performance.now()), everyMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    view.stop(performance.now())
  }
}

async function createView(
  context: Context,
  mode: Exclude<ProgressMode, 'none'>,
  options: MeasureOptions,
): Promise<View> {
  if (mode === 'bar') return (await import('./bar.ts')).createBarView(context)
  if (mode === 'plain') return (await import('./plain.ts')).createPlainView(context, options)
  return (await import('./json.ts')).createJsonView(context)
}
