import type { Command } from 'commander'
import { type Context, printJson } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrariansFlags, librariansOption, withLibrarians } from '../librarian/client.ts'
import { shownState } from '../librarian/copies.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command.argument('<name>', 'a name at the librarian').addOption(librariansOption())
  command.addHelpText(
    'after',
    `
Examples:
  arriero locate 2026/ocean.nc
  arriero locate 2026/ocean.nc --json

Every copy that the librarian knows: paths on its own machine, the names of
other librarians, and the address at which the bytes are served to those who are
logged in. Of each copy here, what reading it in full has shown: of a damaged or
missing one since when, of a good one when it was read last.`,
  )
  command.action(run(locate))
}

async function locate([name = '']: string[], flags: LibrariansFlags, context: Context): Promise<number> {
  return withLibrarians(flags, context, async (librarians, door) => {
    const located = await door.findCopies(librarians, name, context.signal)
    const { file } = located
    const urls = door.urlsOf(located)
    if (context.flags.json) {
      printJson(context, { ...file, urls })
      return exitCodes.ok
    }
    const rows = [
      ...file.instances.map(copy => ['copy', copy.path, shownState(copy), shownTime(copy.state_time)]),
      ...file.remote_instances.map(({ librarian_name, copy_time }) => [
        'librarian',
        librarian_name,
        'copied',
        shownTime(copy_time),
      ]),
      ...urls.map(url => ['address', url, '', '']),
      ...(file.checksum ? [['checksum', file.checksum, '', '']] : []),
    ]
    showTable(['Kind', 'What', 'State', 'Since (UTC)'], rows, context)
    return exitCodes.ok
  })
}
