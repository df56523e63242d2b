import { type Command, Option } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { type Category, categories, type Severity, severities } from '../librarian/error-kinds.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import { addTimeOptions, type TimeFlags, timesFrom } from '../librarian/time-flags.ts'
import { valued } from '../options/fetch.ts'
import { parseCount } from '../units.ts'
import type { Run } from './define.ts'

interface ErrorsFlags extends LibrarianFlags, TimeFlags {
  readonly id?: number
  readonly severity?: Severity
  readonly category?: Category
  readonly all?: boolean
  readonly limit?: number
}

interface RaiseFlags extends LibrarianFlags {
  readonly severity: Severity
  readonly category: Category
}

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command
    .addOption(librarianOption())
    .addOption(valued('--id <N>', 'the one with this number', parseCount))
    .addOption(new Option('--severity <KIND>', 'how bad').choices(severities))
    .addOption(new Option('--category <KIND>', 'of what').choices(categories))
  addTimeOptions(command, 'raised')
    .addOption(new Option('--all', 'those that were cleared, too'))
    .addOption(valued('--limit <N>', 'most errors (default: 64)', parseCount))
    .action(run(list))
  command
    .command('clear <id...>')
    .description('mark errors as dealt with')
    .addOption(librarianOption())
    .action(run(clear))
  command
    .command('raise <message>')
    .description('write down an error by hand')
    .addOption(librarianOption())
    .addOption(new Option('--severity <KIND>', 'how bad').choices(severities).default('error'))
    .addOption(new Option('--category <KIND>', 'of what').choices(categories).makeOptionMandatory())
    .action(run(raise))
  command.addHelpText(
    'after',
    `
Examples:
  arriero errors
  arriero errors --severity critical --since '2 days ago'
  arriero errors clear 17 18

With --json a line each, and no line where there is none. For administrators of
the librarian.`,
  )
}

async function list(_: string[], flags: ErrorsFlags, context: Context): Promise<number> {
  const times = await timesFrom(flags)
  return withLibrarian(flags, context, async ({ api }, door) => {
    const found = await api.search.error(
      {
        id: flags.id,
        severity: flags.severity,
        category: flags.category,
        create_time_window: door.windowOf(times),
        include_resolved: flags.all ?? false,
        max_results: flags.limit ?? 64,
      },
      { signal: context.signal },
    )
    if (context.flags.json) for (const each of found) printJson(context, each)
    else if (found.length === 0) warn(context, 'no errors found.')
    else {
      const rows = found.map(each => [
        each.id,
        each.severity,
        each.category,
        shownTime(each.raised_time),
        each.cleared ? shownTime(each.cleared_time) : '',
        each.caller ?? '',
        each.message,
      ])
      showTable(['Id', 'Severity', 'Category', 'Raised (UTC)', 'Cleared', 'Caller', 'Message'], rows, context)
    }
    return exitCodes.ok
  })
}

async function clear(operands: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  const ids = operands.map(text => parseCount(text, '<id>'))
  return withLibrarian(flags, context, async ({ api }) => {
    for (const id of ids) {
      const cleared = await api.error.clear({ id }, { signal: context.signal })
      if (context.flags.json) printJson(context, { ok: true, ...cleared })
      else if (!context.flags.quiet) context.say(`error ${id} is cleared`)
    }
    return exitCodes.ok
  })
}

async function raise([message = '']: string[], flags: RaiseFlags, context: Context): Promise<number> {
  const { severity, category } = flags
  return withLibrarian(flags, context, async ({ api }) => {
    const raised = await api.error.raise({ severity, category, message }, { signal: context.signal })
    if (context.flags.json) printJson(context, { ok: true, ...raised })
    else if (!context.flags.quiet) context.say(`error ${raised.id} is written down`)
    return exitCodes.ok
  })
}
