import { type Command, Option } from 'commander'
import { type Context, printJson } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { levelName, levelNames, levelNumber } from '../librarian/levels.ts'
import { type PasswordFlags, passwordOptions, readNewPassword } from '../librarian/read-password.ts'
import { showTable } from '../librarian/show-table.ts'
import { printable } from '../text.ts'
import type { Run } from './define.ts'

interface UserFlags extends LibrarianFlags, PasswordFlags {
  readonly level?: string
  readonly password?: boolean
}

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command.addOption(librarianOption()).action(run(list))
  const sub = (call: string, summary: string) => command.command(call).description(summary).addOption(librarianOption())
  const withPassword = (each: Command) => {
    for (const option of passwordOptions('the new password')) each.addOption(option)
    return each
  }
  const level = () => new Option('--level <LEVEL>', 'what the user may do').choices(levelNames)
  withPassword(sub('add <user>', 'add a user').addOption(level().makeOptionMandatory())).action(run(add))
  withPassword(sub('set <user>', 'change a user’s level or password').addOption(level()))
    .addOption(new Option('--password', 'ask for a new password'))
    .action(run(set))
  sub('show <user>', 'show what a user may do').action(run(show))
  sub('remove <user>', 'remove a user').action(run(remove))
  withPassword(sub('password', 'change your own password')).action(run(ownPassword))
  command.addHelpText(
    'after',
    `
Examples:
  arriero users
  arriero users add ada --level READAPPEND
  arriero users set ada --level READONLY
  arriero users password

Levels, each with those before it: NONE, READONLY (search, download), CALLBACK
(another librarian’s answers), READAPPEND (upload), READWRITE, ADMIN.
Passwords are asked for, or come from --password-file or --password-stdin; new
ones have at least 8 characters.`,
  )
}

async function list(_: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const rows: string[][] = []
    for (let after: string | undefined; ; ) {
      const page = await api.users.list({ after, max_results: 500 }, { signal: context.signal })
      for (const { username, permission } of page.users) {
        if (context.flags.json) printJson(context, { username, level: levelName(permission), permission })
        else rows.push([username, levelName(permission)])
      }
      if (page.next === null) break
      after = page.next
    }
    if (!context.flags.json) showTable(['User', 'Level'], rows, context)
    return exitCodes.ok
  })
}

async function add([user = '']: string[], flags: UserFlags, context: Context): Promise<number> {
  const password = await readNewPassword(flags, printable(user), context)
  const permission = levelNumber(flags.level ?? '')
  return withLibrarian(flags, context, async ({ api }) => {
    await api.users.create({ username: user, password, permission }, { signal: context.signal })
    return tell(context, user, `added as ${flags.level}`)
  })
}

async function set([user = '']: string[], flags: UserFlags, context: Context): Promise<number> {
  const wantsPassword = flags.password || flags.passwordFile !== undefined || flags.passwordStdin
  if (flags.level === undefined && !wantsPassword) {
    throw new ProgramError('Usage', 'Nothing to change: give --level, --password or both.')
  }
  const password = wantsPassword ? await readNewPassword(flags, printable(user), context) : undefined
  const permission = flags.level === undefined ? undefined : levelNumber(flags.level)
  return withLibrarian(flags, context, async ({ api }) => {
    const { success } = await api.users.update({ username: user, password, permission }, { signal: context.signal })
    // An older librarian answers so for a user that it does not have.
    if (!success) throw new ProgramError('NotFound', `There is no user ${user}.`)
    return tell(context, user, 'changed')
  })
}

async function show([user = '']: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const { username, permission } = await api.users.get({ username: user }, { signal: context.signal })
    if (context.flags.json) printJson(context, { username, level: levelName(permission), permission })
    else showTable(['User', 'Level'], [[username, levelName(permission)]], context)
    return exitCodes.ok
  })
}

async function remove([user = '']: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    await api.users.delete({ username: user }, { signal: context.signal })
    return tell(context, user, 'removed')
  })
}

async function ownPassword(_: string[], flags: UserFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api, connection }) => {
    const password = await readNewPassword(flags, printable(connection.user), context)
    await api.users.passwordUpdate(
      { password: connection.password, new_password: password },
      { signal: context.signal },
    )
    const again = `say arriero login ${printable(connection.name)} again`
    return tell(context, connection.user, `has a new password; ${again}`)
  })
}

function tell(context: Context, user: string, what: string): number {
  if (context.flags.json) printJson(context, { ok: true, username: user })
  else if (!context.flags.quiet) context.say(`${printable(user)} ${what}`)
  return exitCodes.ok
}
