import { type Context, printJson, printLine } from '../context.ts'
import type { OptionDefinition } from '../engine.ts'
import { exitCodes } from '../exit-codes.ts'
import { printable } from '../text.ts'
import type { LoadedPipeline } from './load-pipeline.ts'
import { table } from './table.ts'

/** `arriero run --list`: what a pipeline does and takes. */
export async function showStages(loaded: LoadedPipeline, context: Context): Promise<number> {
  const { about, options, path } = loaded
  const stages = await stagesOf(loaded)
  if (context.flags.json) {
    printJson(context, { path, about, stages, options })
    return exitCodes.ok
  }
  const say = (line = '') => printLine(context, line)
  if (about !== undefined) say(printable(about))
  if (typeof stages === 'string') say(stages)
  else {
    say('Stages:')
    for (const line of table(stages.map(({ name, about, notes }) => [`  ${name}`, [about, ...notes].join('; ')])))
      say(line)
  }
  if (options === undefined) say('Options: any; a function reads them')
  else if (Object.keys(options).length > 0) {
    say('Options:')
    for (const line of table(Object.entries(options).map(optionRow))) say(line)
  }
  return exitCodes.ok
}

interface ShownStage {
  readonly name: string
  readonly kind: string
  readonly about: string
  readonly notes: readonly string[]
}

/** A pipeline that needs options cannot be made without them. */
async function stagesOf(loaded: LoadedPipeline): Promise<readonly ShownStage[] | string> {
  try {
    const { stages } = await loaded.make(true)
    return stages.map(({ name, kind, about, options }) => {
      const { concurrency, ordered, retries, timeoutMs } = options
      const notes = [
        concurrency === undefined ? '' : `at most ${concurrency} at once`,
        ordered ? 'in the order of the list' : '',
        retries === undefined ? '' : `${retries} retries`,
        timeoutMs === undefined ? '' : `at most ${timeoutMs / 1000} s`,
      ]
      return { name: printable(name), kind, about: printable(about), notes: notes.filter(note => note !== '') }
    })
  } catch (error) {
    return `Stages: cannot be shown without options (${error instanceof Error ? printable(error.message) : error})`
  }
}

function optionRow([name, { about, default: standard, choices }]: [string, OptionDefinition]): string[] {
  const notes = [
    printable(about),
    choices === undefined ? '' : `one of ${choices.join(', ')}`,
    standard === undefined
      ? 'must be given'
      : `default: ${standard === true ? 'yes' : standard === false ? 'no' : standard}`,
  ]
  return [`  ${printable(name)}`, notes.filter(note => note !== '').join('; ')]
}
