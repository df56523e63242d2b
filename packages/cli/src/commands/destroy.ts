import type { Command } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import { printable } from '../text.ts'
import type { Run } from './define.ts'

interface ProposeFlags extends LibrarianFlags {
  readonly reason: string
}

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command.addOption(librarianOption()).action(run(list))
  command
    .command('propose <name>')
    .description('propose to destroy a file; nothing goes yet')
    .requiredOption('--reason <TEXT>', 'for the other administrator, the trash and the audit')
    .addOption(librarianOption())
    .action(run(propose))
  command
    .command('confirm <id> <name>')
    .description('let all copies go that another administrator proposed')
    .addOption(librarianOption())
    .action(run(confirm))
  command.addHelpText(
    'after',
    `
Examples:
  arriero destroy propose 2026/wrong.nc --reason 'the sender asked for it'
  arriero destroy
  arriero destroy confirm 5f0c… 2026/wrong.nc

All copies at this librarian go, the last good one too. Two administrators must
want it: one proposes, another confirms within a day and types the name again.
The trash keeps the copies for 30 days; arriero trash restore brings them back.
Exit code 1 when a copy stays. For administrators of the librarian.`,
  )
}

async function list(_: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const { destructions } = await api.destruction.list({}, { signal: context.signal })
    if (context.flags.json) for (const each of destructions) printJson(context, each)
    else if (destructions.length === 0) warn(context, 'nothing is proposed to be destroyed.')
    else {
      const rows = destructions.map(each => [
        each.destruction_id,
        each.file_name,
        each.proposed_by,
        each.reason,
        shownTime(each.end_time),
      ])
      showTable(['Id', 'Name', 'Proposed by', 'Why', 'Until'], rows, context)
    }
    return exitCodes.ok
  })
}

async function propose([file_name]: string[], { reason, ...flags }: ProposeFlags, context: Context) {
  if (reason.trim() === '') {
    throw new ProgramError('Usage', 'Option --reason must say why the file is to be destroyed.', {
      remedy: 'It stays in the audit when the file is gone.',
    })
  }
  return withLibrarian(flags, context, async ({ api }) => {
    const proposal = await api.destruction.propose({ file_name: file_name!, reason }, { signal: context.signal })
    if (context.flags.json) printJson(context, { ok: true, ...proposal })
    else {
      context.say(
        `${printable(file_name!)} is proposed as ${proposal.destruction_id}; another administrator can confirm it until ${shownTime(proposal.end_time)} UTC`,
      )
    }
    return exitCodes.ok
  })
}

async function confirm([destruction_id, file_name]: string[], flags: LibrarianFlags, context: Context) {
  return withLibrarian(flags, context, async ({ api }) => {
    const named = { destruction_id: destruction_id!, file_name: file_name! }
    const { success, destroyed, kept, ...told } = await api.destruction.confirm(named, { signal: context.signal })
    if (context.flags.json) printJson(context, { ok: success, ...told, destroyed, kept })
    else {
      for (const { store_name, trash_id } of destroyed)
        context.say(`the copy on ${store_name} is in the trash as ${trash_id}`)
      for (const { store_name, why } of kept) warn(context, `the copy on ${store_name} stays: ${printable(why)}`)
      if (success) context.say(`${printable(file_name!)} is destroyed: ${destroyed.length} in the trash`)
    }
    return success ? exitCodes.ok : exitCodes.someFailed
  })
}
