import { type Command, Option } from 'commander'
import { type Context, printJson } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { type PasswordFlags, passwordOptions, readPassword } from '../librarian/read-password.ts'
import { showTable } from '../librarian/show-table.ts'
import { tellRefusals } from '../librarian/tell-refusals.ts'
import { count, printable } from '../text.ts'
import type { Run } from './define.ts'

interface ListFlags extends LibrarianFlags {
  readonly ping?: boolean
}

interface AddFlags extends LibrarianFlags, PasswordFlags {
  readonly user?: string
  readonly check?: boolean
}

interface RemoveFlags extends LibrarianFlags {
  readonly endTransfers?: boolean
}

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command
    .addOption(librarianOption())
    .addOption(new Option('--ping', 'ask each of them whether it is there'))
    .action(run(list))
  const sub = (call: string, summary: string) => command.command(call).description(summary).addOption(librarianOption())
  const add = sub('add <name> <address>', 'make another librarian known').addOption(
    new Option('-u, --user <USER>', 'our account there: the name of our librarian').makeOptionMandatory(),
  )
  for (const option of passwordOptions('the password there')) add.addOption(option)
  add.addOption(new Option('--no-check', 'do not ask it whether it is there and lets us in')).action(run(addOne))
  sub('remove <name>', 'forget another librarian')
    .addOption(new Option('--end-transfers', 'end what is still on its way there'))
    .action(run(removeOne))
  sub('pause <name>', 'send nothing there for a while').action(run(pause))
  sub('resume <name>', 'send there again').action(run(resume))
  command.addHelpText(
    'after',
    `
Examples:
  arriero librarians --ping
  arriero librarians add chile https://chile.example.org --user site
  arriero librarians pause chile

For administrators. The account that one librarian has at another must have the
first one’s own name.`,
  )
}

async function list(_: string[], { ping = false, ...flags }: ListFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const { librarians } = await api.admin.librariansList({ ping }, { signal: context.signal })
    if (context.flags.json) for (const each of librarians) printJson(context, each)
    else {
      const rows = librarians.map(({ name, url, port, available, enabled, refused_since }) => [
        name,
        `${url}:${port}`,
        available === null ? 'not asked' : available ? 'there' : 'NOT there',
        enabled ? (refused_since ? 'REFUSED' : 'sending') : 'PAUSED',
      ])
      showTable(['Librarian', 'Address', 'Ping', 'Transfers'], rows, context)
      tellRefusals(librarians, context)
    }
    return exitCodes.ok
  })
}

async function addOne([name = '', address = '']: string[], flags: AddFlags, context: Context): Promise<number> {
  const { user = '', check = true } = flags
  if (user.includes(':')) throw new ProgramError('Usage', 'A user name cannot have a colon.')
  const { hostAndPort } = await import('@arriero/client')
  // Before anybody types a password.
  const { host, port } = hostAndPort(address)
  const password = await readPassword(flags, `Password of ${printable(user)} at ${printable(address)}: `, context)
  return withLibrarian(flags, context, async ({ api }) => {
    const request = {
      librarian_name: name,
      url: host,
      port,
      authenticator: `${user}:${password}`,
      check_connection: check,
      check_account: check,
    }
    const answer = await api.admin.librariansAdd(request, { signal: context.signal })
    if (!answer.success) throw refusal(name, address, answer)
    return tell(context, name, answer.ping_success === null ? 'added, not asked' : 'added')
  })
}

/** A librarian of before says no more than that it did not work. */
function refusal(name: string, address: string, { already_exists, ping_success, problem }: Refused): ProgramError {
  if (already_exists) {
    const why = problem ?? `a librarian ${name} is known already`
    return new ProgramError('Exists', `Cannot add ${name}: ${why}.`, { exitCode: exitCodes.someFailed })
  }
  const why = problem ?? `it did not answer our librarian at ${address}`
  return ping_success
    ? new ProgramError('Denied', `Cannot add ${name}: ${why}.`, {
        remedy: `Have its administrator make the account (arriero users add, there) or set its password; or say --no-check.`,
      })
    : new ProgramError('Network', `Cannot add ${name}: ${why}.`, { remedy: 'Check the address, or say --no-check.' })
}

interface Refused {
  readonly already_exists: boolean
  readonly ping_success: boolean | null
  readonly problem?: string | undefined
}

async function removeOne([name = '']: string[], flags: RemoveFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const request = { librarian_name: name, remove_outgoing_transfers: flags.endTransfers ?? false }
    const { number_of_transfers_removed: n } = await api.admin.librariansRemove(request, { signal: context.signal })
    return tell(context, name, n > 0 ? `removed, and ${count(n, 'transfer')} ended` : 'removed')
  })
}

function pause(operands: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return change(operands, false, flags, context)
}

function resume(operands: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return change(operands, true, flags, context)
}

async function change([name = '']: string[], isOn: boolean, flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const request = { librarian_name: name, transfers_enabled: isOn }
    const { transfers_enabled } = await api.admin.transferStatusChange(request, { signal: context.signal })
    return tell(context, name, transfers_enabled ? 'is sent to' : 'is paused')
  })
}

function tell(context: Context, name: string, what: string): number {
  if (context.flags.json) printJson(context, { ok: true, name })
  else if (!context.flags.quiet) context.say(`${printable(name)} ${what}`)
  return exitCodes.ok
}
