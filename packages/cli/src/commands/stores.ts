import { writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { showTable } from '../librarian/show-table.ts'
import { count, printable } from '../text.ts'
import { formatSize } from '../units.ts'
import type { Run } from './define.ts'

interface ManifestFlags extends LibrarianFlags {
  readonly destination?: string
  readonly disable?: boolean
  readonly markUnavailable?: boolean
  readonly output?: string
}

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command.addOption(librarianOption()).action(run(list))
  const sub = (call: string, summary: string) => command.command(call).description(summary).addOption(librarianOption())
  sub('enable <store>', 'use a store again').action(run(enable))
  sub('disable <store>', 'use a store no more, and keep what is on it').action(run(disable))
  sub('manifest <store>', 'list what is on a store, for a disk that is carried')
    .addOption(new Option('--destination <LIBRARIAN>', 'whither it is carried: a transfer is opened for each file'))
    .addOption(new Option('--disable', 'take nothing more onto the store'))
    .addOption(new Option('--mark-unavailable', 'its copies are on their way, and read no more'))
    .addOption(new Option('-o, --output <FILE>', 'write it here (default: stdout)'))
    .action(run(manifest))
  command.addHelpText(
    'after',
    `
Examples:
  arriero stores
  arriero stores disable drive-7
  arriero stores manifest drive-7 --destination chile --disable -o drive-7.json

For administrators of the librarian.`,
  )
}

async function list(_: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async librarian => {
    const stores = await librarian.api.admin.storesList({}, { signal: context.signal })
    if (context.flags.json) for (const store of stores) printJson(context, store)
    else {
      const { isTTY } = context.terminal.stdout
      const rows = stores.map(({ name, store_type, free_space, ingestable, available, enabled }) => [
        name,
        store_type,
        free_space < 0 ? '' : isTTY ? formatSize(free_space) : free_space,
        available ? 'available' : 'NOT available',
        ingestable ? 'takes uploads' : 'takes no uploads',
        enabled ? 'enabled' : 'DISABLED',
      ])
      showTable(['Store', 'Type', 'Free', 'Disk', 'Uploads', 'State'], rows, context)
      for (const { name, reason, remedy = 'See to its disk and its mount.' } of stores) {
        if (reason !== undefined)
          warn(context, `${printable(name)} is not available: ${asSentence(printable(reason))} ${remedy}`)
      }
    }
    return exitCodes.ok
  })
}

function enable(operands: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return change(operands, true, flags, context)
}

function disable(operands: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return change(operands, false, flags, context)
}

async function change(
  [store = '']: string[],
  enabled: boolean,
  flags: LibrarianFlags,
  context: Context,
): Promise<number> {
  return withLibrarian(flags, context, async librarian => {
    const request = { store_name: store, enabled }
    const changed = await librarian.api.admin.storesStateChange(request, { signal: context.signal })
    if (context.flags.json) printJson(context, { ok: true, ...changed })
    else if (!context.flags.quiet) context.say(`${printable(store)} is ${changed.enabled ? 'enabled' : 'disabled'}`)
    return exitCodes.ok
  })
}

async function manifest([store = '']: string[], flags: ManifestFlags, context: Context): Promise<number> {
  const { destination, disable = false, markUnavailable = false, output } = flags
  return withLibrarian(flags, context, async librarian => {
    const answer = await librarian.api.admin.storesManifest(
      {
        store_name: store,
        create_outgoing_transfers: destination !== undefined,
        destination_librarian: destination ?? '',
        disable_store: disable,
        mark_local_instances_as_unavailable: markUnavailable,
      },
      { signal: context.signal },
    )
    const text = `${JSON.stringify(answer, undefined, 2)}\n`
    if (output === undefined) context.terminal.stdout.write(text)
    else {
      await writeFile(output, text)
      if (!context.flags.quiet) context.say(`${printable(output)}  ${count(answer.store_files.length, 'file')}`)
    }
    return exitCodes.ok
  })
}

/** Some reasons end with a question. */
function asSentence(reason: string): string {
  return /[.?!]$/.test(reason) ? reason : `${reason}.`
}
