import type { Command } from 'commander'
import { type Context, printJson } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { loadClient } from '../librarian/client.ts'
import { printable } from '../text.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command.argument('[name]', 'what login called it (default: the only one)')
  command.addHelpText(
    'after',
    `
Examples:
  arriero logout
  arriero logout site

Takes this one out of the client settings ($HL_CLIENT_CONFIG or
~/.hl_client.cfg) and leaves the others. The librarian is not asked: the account
stays. A password file is not deleted.`,
  )
  command.action(run(logout))
}

async function logout([name]: string[], _: unknown, context: Context): Promise<number> {
  const door = await loadClient()
  const { env } = context.terminal
  const chosen = name ?? onlyOne(door.connectionNames(await door.readSettings(env)))
  const path = await door.removeConnection(chosen, env)
  if (context.flags.json) printJson(context, { ok: true, name: chosen, path })
  else if (!context.flags.quiet) context.say(`Forgotten: ${printable(chosen)}, from ${printable(path)}`)
  return exitCodes.ok
}

/** Never by $ARRIERO_LIBRARIAN: what is forgotten is said. */
function onlyOne(names: readonly string[]): string {
  const [only] = names
  if (only !== undefined && names.length === 1) return only
  if (names.length === 0) throw new ProgramError('Usage', 'No librarian is known: there is nothing to forget.')
  throw new ProgramError('Usage', `Several librarians are known: ${names.join(', ')}. Say which one to forget.`)
}
