import type { Command } from 'commander'
import { Option } from 'commander'
import type { Context } from '../context.ts'
import { addAccessOptions, addSpeedOptions, collect, valued } from '../options/fetch.ts'
import { addLogOptions } from '../options/log.ts'
import { addProfileOptions } from '../profile/with-profile.ts'
import { progressModes } from '../progress/with-progress.ts'
import type { RunFlags } from '../run/run-flags.ts'
import { parseCount, parsePositiveSize } from '../units.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command
    .argument('<pipeline>', 'a module, JavaScript or TypeScript, whose default export is a pipeline')
    .addOption(new Option('-O, --option <NAME=VALUE>', 'set an option of the pipeline; repeatable').argParser(collect))
    .addOption(new Option('-l, --list', 'show its stages and options, and run nothing'))
    .optionsGroup('Which items:')
    .addOption(new Option('--state <FILE>', 'write down what is done, and pass it over the next time'))
    .addOption(new Option('--fresh', 'forget what the state says'))
    .addOption(new Option('--recheck', 'ask whether what was fetched for done items has changed since'))
    .addOption(new Option('--stop-on-error', 'begin nothing more after a failure'))
    .addOption(valued('--max-failures <N>', 'begin nothing more after more failures than this', parseFailures))
    .optionsGroup('Result:')
    .addOption(new Option('--report <FILE>', 'write what became of each item as JSON lines'))
    .addOption(new Option('--progress <KIND>', 'default: bars on a terminal, else lines').choices(progressModes))
    .optionsGroup('Computing:')
    .addOption(valued('--workers <N>', 'threads for functions of modules (default: the cores)', parseCount))
    .addOption(valued('--worker-memory <SIZE>', 'most memory for the objects of one of them', parsePositiveSize))
    .addOption(valued('--max-items <N>', 'items under way at once, in all stages (default: 512)', parseCount))
  addSpeedOptions(command)
  addAccessOptions(command)
  addProfileOptions(addLogOptions(command.optionsGroup('Measuring:')))
  command.addHelpText(
    'after',
    `
Examples:
  arriero run --list books.ts
  arriero run books.ts --option mirror=ftp://127.0.0.1:2121 --state books.state
  arriero run books.ts --report report.jsonl --progress plain

A failure ends its item alone; the exit code says that there was one. Ctrl-C
stops; with --state the same command again continues.`,
  )
  command.action(run(runPipeline))
}

function parseFailures(text: string, flag: string): number {
  return parseCount(text, flag, 0)
}

async function runPipeline(operands: string[], flags: RunFlags, context: Context): Promise<number> {
  const { loadPipeline } = await import('../run/load-pipeline.ts')
  const loaded = await loadPipeline(operands[0] as string, flags, context.signal)
  if (flags.list) return (await import('../run/show-stages.ts')).showStages(loaded, context)
  return (await import('../run/run-pipeline.ts')).runPipeline(loaded, flags, context)
}
