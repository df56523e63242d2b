import { type Command, Option } from 'commander'
import { type Context, printJson, printLine } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { valued } from '../options/fetch.ts'
import { count, printable } from '../text.ts'
import { parseCount } from '../units.ts'
import type { Run } from './define.ts'

interface RepairFlags {
  readonly source?: boolean
  readonly destination?: boolean
  readonly librarianName?: string
  readonly age?: number
  readonly storeName?: string
  readonly spotCheck: number
  readonly trackProgress?: boolean
  readonly config?: string
  readonly data?: string
}

export function define(command: Command, run: Run): void {
  command
    .addOption(new Option('--source', 'at the upstream: print what it knows of the other one').conflicts('destination'))
    .addOption(new Option('--librarian-name <NAME>', 'with --source: the librarian that lost its database'))
    .addOption(valued('--age <HOURS>', 'with --source: only what was sent within so many hours', parseHours))
    .addOption(new Option('--destination', 'at the downstream: read that from stdin and make the rows again'))
    .addOption(new Option('--store-name <STORE>', 'with --destination: where its files lie'))
    .addOption(
      valued('--spot-check <N>', 'with --destination: read every Nth file in full; 0: none', parseEvery).default(32),
    )
    .addOption(new Option('--track-progress', 'with --destination: say how far it is'))
    .addOption(new Option('--config <FILE>', 'settings of the librarian'))
    .addOption(new Option('--data <DIR>', 'its data directory (default: as arriero serve)'))
    .addHelpText(
      'after',
      `
Examples:
  arriero repair-database --source --librarian-name site-b --age 72 > lost.json
  arriero repair-database --destination --store-name main < lost.json

For a downstream whose database was put back from an old backup, or is new.
Neither server may run on its catalogue meanwhile if that is a file. Nothing
that is there is changed; what agrees in size is taken, every 32nd file is read.
Exit code 1 when something does not agree.`,
    )
  command.action(run(repair))
}

const parseHours = (text: string, flag: string) => parseCount(text, flag, 1)
const parseEvery = (text: string, flag: string) => parseCount(text, flag, 0)

async function repair(_operands: string[], flags: RepairFlags, context: Context): Promise<number> {
  if (flags.source) return await tell(flags, context)
  if (flags.destination) return await take(flags, context)
  throw new ProgramError('Usage', 'repair-database needs --source at the upstream, or --destination at the downstream')
}

async function settingsOf(flags: RepairFlags, context: Context) {
  const door = await import('@arriero/librarian')
  const { findSettings } = await import('../serve/find-settings.ts')
  const { settings } = findSettings(door, flags, context.terminal)
  const { lineWriter } = await import('../serve/line-writer.ts')
  return { door, settings, log: door.createLog({ level: 'warn', name: settings.name, write: lineWriter(context) }) }
}

async function tell(flags: RepairFlags, context: Context): Promise<number> {
  const { librarianName: librarian, age } = flags
  if (librarian === undefined || age === undefined)
    throw new ProgramError('Usage', 'repair-database --source needs --librarian-name and --age')
  const { door, settings, log } = await settingsOf(flags, context)
  const ageSeconds = age * 3600
  for await (const piece of door.tellDownstreamOf({ settings, log, librarian, ageSeconds })) {
    context.terminal.stdout.write(piece)
    // A list of millions is not to wait in memory for a slow reader.
    await context.terminal.flush()
  }
  return exitCodes.ok
}

async function take(flags: RepairFlags, context: Context): Promise<number> {
  const { storeName: store, spotCheck } = flags
  if (store === undefined) throw new ProgramError('Usage', 'repair-database --destination needs --store-name')
  const { text } = await import('node:stream/consumers')
  const statement = await text(context.terminal.stdin)
  const { door, settings, log } = await settingsOf(flags, context)
  let done = 0
  const onFile = () => {
    done++
    if (flags.trackProgress && done % 1000 === 0) context.say(`${done} files looked at`)
  }
  const { signal } = context
  const report = await door.repairDatabase({ settings, log, signal, store, statement, spotCheck, onFile })
  if (context.flags.json) printJson(context, report)
  else {
    for (const problem of report.problems) printLine(context, printable(problem))
    printLine(
      context,
      `${count(report.files, 'file')} and ${count(report.transfers, 'transfer')} made again, ${report.known} known already, ` +
        `${report.read} read and right; ${count(report.problems.length, 'problem')}`,
    )
  }
  return report.problems.length === 0 ? exitCodes.ok : exitCodes.someFailed
}
