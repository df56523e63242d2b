import { type Command, Option } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import {
  type CopyCount,
  type FoundFile,
  type LibrarianFlags,
  librarianOption,
  withLibrarian,
} from '../librarian/client.ts'
import { shownCopies } from '../librarian/copies.ts'
import { type GlobFlags, noGlobOption, patternHelp } from '../librarian/patterns.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import { addTimeOptions, type TimeFlags, timesFrom } from '../librarian/time-flags.ts'
import { valued } from '../options/fetch.ts'
import { printable } from '../text.ts'
import { formatSize, parseCount, parseSize } from '../units.ts'
import type { Run } from './define.ts'

interface SearchFlags extends LibrarianFlags, TimeFlags, GlobFlags {
  readonly uploader?: string
  readonly source?: string
  readonly minSize?: number
  readonly maxSize?: number
  readonly checksum?: string
  readonly limit?: number
}

export function define(command: Command, run: Run): void {
  command.argument('[name]', 'a name, or a pattern').addOption(librarianOption()).addOption(noGlobOption())
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
copies here, copies elsewhere, checksum, good copies here, with tabs between. A
copy counts as good unless a full read has shown that it is damaged or gone.

${patternHelp}`,
  )
  command.action(run(search))
}

async function search([name]: string[], flags: SearchFlags, context: Context): Promise<number> {
  const { uploader, source, minSize, maxSize, limit } = flags
  const times = await timesFrom(flags)
  const checksum = flags.checksum?.replace(/^([a-z0-9]+):(?!::)/, '$1:::')
  return withLibrarian(flags, context, async (librarian, door) => {
    const query = { name, isLiteral: flags.glob === false, ...times, uploader, source, minSize, maxSize, checksum }
    const found: FoundFile[] = []
    const { isTTY } = context.terminal.stdout
    for await (const file of door.searchFiles(librarian, query, { limit, signal: context.signal })) {
      if (context.flags.json) printJson(context, file)
      else if (isTTY) found.push(file)
      else showTable([], [cellsOf(file, door.countCopies(file), false)], context)
      if (!isTTY && found.length === 0) found.push(file)
    }
    if (found.length === 0 && !context.flags.json) {
      const options = { isLiteral: query.isLiteral, signal: context.signal }
      const hint = name === undefined ? undefined : await door.hintFor(librarian, name, options)
      warn(context, hint === undefined ? 'no files found.' : `no files found. ${printable(hint)}`)
    } else if (isTTY && !context.flags.json)
      showTable(
        HEADINGS,
        found.map(file => cellsOf(file, door.countCopies(file), true)),
        context,
      )
    return exitCodes.ok
  })
}

const HEADINGS = ['Name', 'Size', 'Created (UTC)', 'Uploader', 'Source', 'Copies', 'Elsewhere']

function cellsOf(file: FoundFile, copies: CopyCount, isForPeople: boolean): (string | number)[] {
  const { name, size, create_time, uploader, source, remote_instances, checksum } = file
  const shown = [
    name,
    size === null ? '' : isForPeople ? formatSize(size) : size,
    isForPeople ? shownTime(create_time) : create_time,
    uploader ?? '',
    source ?? '',
    isForPeople ? shownCopies(copies) : copies.here,
    remote_instances.length,
  ]
  return isForPeople ? shown : [...shown, checksum ?? '', copies.good]
}
