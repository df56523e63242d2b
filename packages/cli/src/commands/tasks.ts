import type { Command } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Librarian, type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command.addOption(librarianOption()).action(run(list))
  command
    .command('run <name...>')
    .description('have tasks run as soon as a worker can')
    .addOption(librarianOption())
    .action(run(runNow))
  command.addHelpText(
    'after',
    `
Examples:
  arriero tasks
  arriero tasks run nightly-scrub
  arriero tasks run check_integrity

Recurring work of the librarian’s settings (background): when it ran last, what
came of it, when it runs next. A name is that of the settings, a kind means all
of that kind. With --json a line each, and no line where there is none. For
administrators of the librarian.`,
  )
}

type Task = Awaited<ReturnType<Librarian['api']['tasks']['list']>>['tasks'][number]

async function list(_: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const { tasks } = await api.tasks.list({}, { signal: context.signal })
    if (context.flags.json) for (const each of tasks) printJson(context, each)
    else if (tasks.length === 0) warn(context, 'the librarian has no recurring tasks.')
    else showTable(HEADINGS, tasks.map(cellsOf), context)
    return exitCodes.ok
  })
}

const HEADINGS = ['Kind', 'Name', 'State', 'Ended (UTC)', 'Outcome', 'Next (UTC)', 'Note']

function cellsOf({ kind, name, state, ended_time, outcome, next_time, note, counts }: Task): string[] {
  const shown = state === 'running' ? countsText(counts) : (note ?? '')
  return [kind, name, state, shownTime(ended_time), outcome ?? '', shownTime(next_time), shown]
}

function countsText(counts: Task['counts']): string {
  return Object.entries(counts)
    .map(([key, count]) => `${key} ${count}`)
    .join(', ')
}

async function runNow(names: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const { tasks } = await api.tasks.list({}, { signal: context.signal })
    const wanted = new Set(names.flatMap(name => named(name, tasks)))
    for (const { id } of wanted) {
      const task = await api.tasks.run({ id }, { signal: context.signal })
      if (context.flags.json) printJson(context, { ok: true, ...task })
      else if (!context.flags.quiet) context.say(`${task.name} (${task.kind}) runs as soon as a worker can`)
    }
    return exitCodes.ok
  })
}

function named(name: string, tasks: readonly Task[]): Task[] {
  const found = tasks.filter(task => [task.name, task.kind, task.id].includes(name))
  if (found.length > 0) return found
  throw new ProgramError('NotFound', `Cannot run ${name}: the librarian has no recurring task of this name`, {
    remedy: 'See which there are with arriero tasks.',
  })
}
