import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type Context, printJson } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { loadClient } from '../librarian/client.ts'
import { type PasswordFlags, passwordOptions, readPassword } from '../librarian/read-password.ts'
import { printable } from '../text.ts'
import type { Run } from './define.ts'

interface LoginFlags extends PasswordFlags {
  readonly user?: string
  readonly check?: boolean
}

export function define(command: Command, run: Run): void {
  command
    .argument('<name>', 'what you want to call it')
    .argument('<address>', 'such as https://librarian.example.org')
    .addOption(new Option('-u, --user <USER>', 'your account there').makeOptionMandatory())
  for (const option of passwordOptions('the password')) command.addOption(option)
  command.addOption(new Option('--no-check', 'do not ask the librarian whether the login is right'))
  command.addHelpText(
    'after',
    `
Examples:
  arriero login site https://librarian.example.org --user ada
  arriero login site http://localhost:21108 -u ada --password-file ~/.site

Without a flag you are asked for the password. The login is kept in the client
settings ($HL_CLIENT_CONFIG or ~/.hl_client.cfg), which only you can read. Of a
password file only its name is kept.`,
  )
  command.action(run(login))
}

async function login([name = '', address = '']: string[], flags: LoginFlags, context: Context): Promise<number> {
  const { user = '', check = true, passwordFile } = flags
  const { env } = context.terminal
  const door = await loadClient()
  const place = door.hostAndPort(address)
  if (user.includes(':')) throw new ProgramError('Usage', 'A user name cannot have a colon.')
  const password = await readPassword(flags, `Password of ${printable(user)} at ${printable(address)}: `, context)
  const url = door.urlOf(place)
  const greeting = check ? await greet({ name, url, user, password }, context) : undefined
  const secret = passwordFile === undefined ? { password } : { password_file: resolve(passwordFile) }
  const written = await door.writeConnection(name, { ...place, user, ...secret }, env)
  if (context.flags.json) printJson(context, { ok: true, name, url, user, site: greeting?.name, ...written })
  else if (!context.flags.quiet) {
    const site = greeting ? ` to ${printable(greeting.name)}` : ''
    const done = check ? `Logged in${site} as ${printable(user)}` : 'Not checked'
    context.say(
      `${done}; ${written.isReplaced ? 'replaced' : 'kept'} as ${printable(name)} in ${printable(written.path)}`,
    )
  }
  return exitCodes.ok
}

/** Fails where the password is wrong: one that does not work is not kept. */
async function greet(connection: { name: string; url: string; user: string; password: string }, context: Context) {
  const door = await loadClient()
  const librarian = door.openLibrarian(connection)
  try {
    return await librarian.api.ping.logged({}, { signal: context.signal })
  } catch (error) {
    throw door.explained(error, connection.url)
  } finally {
    librarian.close()
  }
}
