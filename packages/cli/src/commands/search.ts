import { type Command, Option } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type FoundFile, type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import { addTimeOptions, type TimeFlags, timesFrom } from '../librarian/time-flags.ts'
import { valued } from '../options/fetch.ts'
import { printable } from '../text.ts'
import { formatSize, parseCount, parseSize } from '../units.ts'
import type { Run } from './define.ts'

interface SearchFlags extends LibrarianFlags, TimeFlags {
  readonly uploader?: string
  readonly source?: string
  readonly minSize?: number
  readonly maxSize?: number
  readonly checksum?: string
  readonly limit?: number
}

export function define(command: Command, run: Run): void {
  command.argument('[name]', 'a name; * and ? within a part of it, ** across parts').addOption(librarianOption())
  addTimeOptions(command, 'created')
    .addOption(new Option('--uploader <USER>', 'uploaded by'))
    .addOption(new Option('--source <NAME>', 'come from this user or librarian'))
    .addOption(valued('--min-size <SIZE>', 'of at least so many bytes, e.g. 10MiB', parseSize))
    .addOption(valued('--max-size <SIZE>', 'of at most so many bytes', parseSize))
    .addOption(new Option('--checksum <ALG:HEX>', 'with this content, e.g. sha256:9f86d0…'))
    .addOption(valued('--limit <N>', 'most files (default: all)', parseCount))
  command.addHelpText(
    'after',
    `
Examples:
  arriero search
  arriero search '2026/*.nc' --since yesterday
  arriero search '**/a.fits' --uploader ada --limit 10 --json

Newest first. Piped, a line per file: name, bytes, time, uploader, source,
copies here, copies elsewhere, checksum, with tabs between.`,
  )
  command.action(run(search))
}

async function search([name]: string[], flags: SearchFlags, context: Context): Promise<number> {
  const { uploader, source, minSize, maxSize, limit } = flags
  const times = await timesFrom(flags)
  const checksum = flags.checksum?.replace(/^([a-z0-9]+):(?!::)/, '$1:::')
  return withLibrarian(flags, context, async (librarian, door) => {
    const query = { name, ...times, uploader, source, minSize, maxSize, checksum }
    const found: FoundFile[] = []
    const { isTTY } = context.terminal.stdout
    for await (const file of door.searchFiles(librarian, query, { limit, signal: context.signal })) {
      if (context.flags.json) printJson(context, file)
      else if (isTTY) found.push(file)
      else showTable([], [cellsOf(file, false)], context)
      if (!isTTY && found.length === 0) found.push(file)
    }
    if (found.length === 0 && !context.flags.json) warn(context, nothingFound(name))
    else if (isTTY && !context.flags.json)
      showTable(
        HEADINGS,
        found.map(file => cellsOf(file, true)),
        context,
      )
    return exitCodes.ok
  })
}

/** A name never ends with a slash: who writes one means what lies below. */
function nothingFound(name: string | undefined): string {
  return name?.endsWith('/') ? `no files found; for what lies below say: '${printable(name)}*'` : 'no files found.'
}

const HEADINGS = ['Name', 'Size', 'Created (UTC)', 'Uploader', 'Source', 'Copies', 'Elsewhere']

function cellsOf(file: FoundFile, isForPeople: boolean): (string | number)[] {
  const { name, size, create_time, uploader, source, instances, remote_instances, checksum } = file
  const available = instances.filter(each => each.available).length
  const shown = [
    name,
    size === null ? '' : isForPeople ? formatSize(size) : size,
    isForPeople ? shownTime(create_time) : create_time,
    uploader ?? '',
    source ?? '',
    available,
    remote_instances.length,
  ]
  return isForPeople ? shown : [...shown, checksum ?? '']
}
