import type { Command } from 'commander'
import { type Context, printJson } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrariansFlags, librariansOption, withLibrarians } from '../librarian/client.ts'
import { showTable } from '../librarian/show-table.ts'
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
logged in.`,
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
      ...file.instances.map(({ path, available }) => ['copy', path, available ? 'available' : 'not available']),
      ...file.remote_instances.map(({ librarian_name, copy_time }) => ['librarian', librarian_name, copy_time]),
      ...urls.map(url => ['address', url, file.checksum ?? '']),
    ]
    showTable(['Kind', 'Where', ''], rows, context)
    return exitCodes.ok
  })
}
