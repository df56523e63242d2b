import { type Command, Option } from 'commander'
import { type Context, printJson, printLine } from '../context.ts'
import { loadEngine } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { valued } from '../options/fetch.ts'
import { type SeriesKind, seriesKinds } from '../profile/series-kinds.ts'
import { printable } from '../text.ts'
import { parseCount } from '../units.ts'
import type { Run } from './define.ts'

interface PlotFlags {
  readonly output?: string
  readonly series: SeriesKind
  /** px */
  readonly width?: number
}

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command
    .command('summary <file>')
    .description('print average, extremes, median and percentiles of each metric')
    .addHelpText(
      'after',
      `
Examples:
  arriero profile summary run.profile
  arriero profile summary run.profile --json`,
    )
    .action(run(summary))
  command
    .command('plot <file>')
    .description('draw it as SVG, or as a page that shows the values under the pointer')
    .addOption(new Option('-o, --output <FILE>', 'a name that ends with .svg or .html (default: FILE.svg)'))
    .addOption(
      new Option(
        '--series <KIND>',
        'what to draw; all: every field; retriever: its own three, six inches wide per minute',
      )
        .choices(seriesKinds)
        .default('default', 'default'),
    )
    .addOption(valued('--width <PX>', 'width in pixels (default: 860)', parseWidth))
    .addHelpText(
      'after',
      `
Examples:
  arriero profile plot run.profile
  arriero profile plot run.profile -o run.html
  arriero profile plot run.profile --series all -o all.svg
  arriero profile plot retriever.profile --series retriever`,
    )
    .action(run(plot))
  command.addHelpText(
    'after',
    `
Examples:
  arriero get https://data.example.org/ocean.nc --profile run.profile
  arriero profile summary run.profile
  arriero profile plot run.profile -o run.html

Every command that moves bytes has --profile. Profiles that retriever wrote are
read as well.`,
  )
}

/** px: narrower has no room for labels, wider no viewer. */
const widths = { least: 300, most: 20_000 }

function parseWidth(text: string, flag: string): number {
  const px = parseCount(text, flag, widths.least)
  if (px > widths.most) throw new ProgramError('Usage', `${flag} takes at most ${widths.most}, not '${text}'.`)
  return px
}

async function summary([file = '']: string[], _flags: unknown, context: Context): Promise<number> {
  const { loadSamples } = await import('../profile/load.ts')
  const { summaryJson, summaryText } = await import('../profile/summary-text.ts')
  const door = await loadEngine()
  const summed = door.summarise(await loadSamples(file, door, context))
  if (context.flags.json) printJson(context, summaryJson(summed))
  else printLine(context, summaryText(summed))
  return exitCodes.ok
}

async function plot([file = '']: string[], flags: PlotFlags, context: Context): Promise<number> {
  const { pictureType, writeDrawing } = await import('../plot/write-drawing.ts')
  const output = flags.output ?? `${file}.svg`
  pictureType(output)
  const { loadSamples } = await import('../profile/load.ts')
  const door = await loadEngine()
  const samples = await loadSamples(file, door, context)
  const { drawProfile } = await import('../profile/draw-profile.ts')
  const { drawing, hover } = await drawProfile(samples, door, { title: file, series: flags.series, width: flags.width })
  writeDrawing(output, drawing, hover)
  if (context.flags.json) printJson(context, { ok: true, path: output })
  else if (!context.flags.quiet) context.say(printable(output))
  return exitCodes.ok
}
