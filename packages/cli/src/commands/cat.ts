import type { Command } from 'commander'
import { Option } from 'commander'
import type { Context } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { addAccessOptions, addAnswerOptions, addSpeedOptions, collect } from '../options/fetch.ts'
import { addProofOptions, type GetFlags } from '../options/file.ts'
import { addHooksOption, withUserHooks } from '../options/hooks.ts'
import { addLogOptions } from '../options/log.ts'
import { addProfileOptions } from '../profile/with-profile.ts'
import { progressModes } from '../progress/with-progress.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command.argument('<url...>', 'what to write, one after the other')
  addProofOptions(command)
  command.addOption(new Option('--mirror <URL>', 'another place of the same bytes; repeatable').argParser(collect))
  addSpeedOptions(command)
  addAccessOptions(command)
  addAnswerOptions(command.optionsGroup('Unusual answers:'))
  addHooksOption(command)
  command
    .optionsGroup('Progress and log:')
    .addOption(new Option('--progress <KIND>', 'default: a bar while stdout is redirected').choices(progressModes))
  addProfileOptions(command)
  addLogOptions(command)
  command.addHelpText(
    'after',
    `
Examples:
  arriero cat https://data.example.org/run7.tar.gz | tar xz
  arriero cat https://example.org/a.csv https://example.org/b.csv > both.csv
  arriero cat https://example.org/a.csv --checksum md5:0cc175b9… | wc -l

Bytes leave before they are verified: only exit code 0 says that all of them
were right.`,
  )
  command.action(run(cat))
}

async function cat(operands: string[], flags: GetFlags, context: Context): Promise<number> {
  const { readSources } = await import('../get/request.ts')
  const urls = readSources(operands)
  for (const key of ['checksum', 'size', 'mirror'] as const) {
    if (urls.length > 1 && flags[key] !== undefined) {
      throw new ProgramError('Usage', `Several URLs and --${key} contradict each other: it speaks of one file.`)
    }
  }
  const { streamToStdout } = await import('../get/to-stdout.ts')
  return withUserHooks(flags, context, given => streamToStdout(urls, given, context))
}
