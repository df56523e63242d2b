import { type Command, Help, Option } from 'commander'
import type { BenchFlags } from '../bench/bench-flags.ts'
import { destinations } from '../bench/contenders.ts'
import { outputFormats } from '../bench/output.ts'
import type { ReportFlags } from '../bench/report.ts'
import { targetNames } from '../bench/targets.ts'
import type { Context } from '../context.ts'
import { valued } from '../options/fetch.ts'
import { addLogOptions } from '../options/log.ts'
import { parseCount, parseDuration, parsePositiveSize } from '../units.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command
    .argument('[url...]', 'files to fetch; without any, the local target plain')
    .usage('[url...] [options] [-- FLAGS OF GET]')
  // With all options beside the name, no room would be left for what it does.
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command
    .optionsGroup('What is compared:')
    .addOption(new Option('--connections <LIST>', 'e.g. 1,4,auto (default: 1,4,16)'))
    .addOption(new Option('--part-size <LIST>', 'e.g. 512KiB,8MiB,auto (default: 1MiB,8MiB)'))
    .addOption(
      new Option('--threads <LIST>', 'e.g. 1,2: threads for slow digests; the transfer itself has one (default: auto)'),
    )
    .addOption(new Option('--config <FILE>', 'configurations from a JSON or YAML list, or JSON lines, instead'))
    .addOption(
      new Option('--compare [TOOLS]', 'other programs as well: all that are here, or some of curl,aria2c,axel,wget2,…'),
    )
    .optionsGroup('What is measured:')
    .addOption(new Option('--to <WHERE>', 'where the bytes go (default: file)').choices(destinations))
    .addOption(new Option('-d, --dir <DIR>', 'the disk to write on (default: here); what is written is removed'))
    .addOption(new Option('--targets <LIST>', `a local server: some of ${targetNames.join(',')}`))
    .addOption(valued('--size <SIZE>', 'of the file of a local target (default: 256MiB or 64MiB)', parsePositiveSize))
    .addOption(valued('--repeat <N>', 'rounds (default: 5)', parseCount))
    .optionsGroup('Bounds:')
    .addOption(valued('--max-bytes <SIZE>', 'begin no run that would move more than this in all', parsePositiveSize))
    .addOption(valued('--max-time <TIME>', 'end after this, e.g. 30m (default: 10m)', parseDuration))
    .addOption(new Option('--dry-run', 'show what would be run, and how much it would move'))
    .optionsGroup('Results:')
    .addOption(new Option('--output <FILE>', 'append every run to this file, as JSON lines'))
    .addOption(new Option('--plot <FILE>', 'draw heat map and times, as .svg or .html'))
    .addOption(new Option('--format <FORMAT>', 'what is printed (default: table)').choices(outputFormats))
  addLogOptions(command)
  addReport(command, run)
  command.addHelpText(
    'after',
    `
Examples:
  arriero bench https://data.example.org/ocean.nc
  arriero bench https://data.example.org/ocean.nc --compare --plot heat.html
  arriero bench URL --connections 2,8,32 --part-size 8MiB,32MiB --repeat 3
  arriero bench URL --to null -- --header @token.txt --limit-rate 50MiB
  arriero bench --targets plain,tls,capped --output results.jsonl
  arriero bench report results.jsonl -o results.md

Every run is a process of its own. Rounds take turns, so that whatever drifts
falls on all alike; bytes that differ are told and never counted. What follows
-- goes to every run of ours; other programs get no credentials.
Ctrl-C ends it and leaves what was measured.`,
  )
  command.action(run(bench))
}

function addReport(command: Command, run: Run): void {
  const report = command.command('report')
  // What the command above has is not meant here.
  const { visibleGlobalOptions } = new Help()
  report.configureHelp({
    ...report.configureHelp(),
    visibleGlobalOptions: each =>
      visibleGlobalOptions.call(report.createHelp(), each).filter(o => !command.options.includes(o)),
  })
  report
    .description('make tables and pictures of earlier results')
    .argument('<file...>', 'what --output has written')
    .addOption(new Option('-o, --output <FILE>', 'write .md, .csv, .svg or .html (default: a table on stdout)'))
    .addOption(new Option('--format <FORMAT>', 'what is printed without it (default: table)').choices(outputFormats))
    .addHelpText(
      'after',
      `
Examples:
  arriero bench report results.jsonl
  arriero bench report monday.jsonl friday.jsonl -o results.html
  arriero bench report results.jsonl --format downloadperf`,
    )
    .action(
      run(async (files: string[], flags: ReportFlags, context: Context) => {
        const { reportBench } = await import('../bench/report.ts')
        return reportBench(files, flags, context)
      }),
    )
}

async function bench(operands: string[], flags: BenchFlags, context: Context): Promise<number> {
  return (await import('../bench/run-bench.ts')).runBench(operands, flags, context)
}
