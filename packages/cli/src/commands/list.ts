import { type Command, Option } from 'commander'
import { type Context, printJson, printLine, warn } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, type Listed, librarianOption, withLibrarian } from '../librarian/client.ts'
import { shownCopies } from '../librarian/copies.ts'
import { count, printable } from '../text.ts'
import { formatSize } from '../units.ts'
import type { Run } from './define.ts'

interface ListFlags extends LibrarianFlags {
  readonly recursive?: boolean
  readonly long?: boolean
}

export function define(command: Command, run: Run): void {
  command
    .argument('[path]', 'a name, what names begin with, a tree or a directory in one (default: everything)')
    .addOption(librarianOption())
    .addOption(new Option('-R, --recursive', 'all files below, instead of one level'))
    .addOption(new Option('-l, --long', 'digests and copies, too'))
  command.addHelpText(
    'after',
    `
Examples:
  arriero list
  arriero list 2026
  arriero list night-1            # what is in a tree
  arriero list -R 2026 --json

A tree and a directory end with a slash; a directory, which is only a part of
names, tells what lies below. No character of the path is a wildcard. Piped, a
line each: name, bytes, kind, checksum, with -l also copies here and how many of
them are good; with tabs between.

Sorted by name; -R of more than 100,000 files shows them as they are found.
All names below are gone through: a librarian with millions needs minutes.`,
  )
  command.action(run(list))
}

async function list([path = '']: string[], flags: ListFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async (librarian, door) => {
    const total = { files: 0, bytes: 0 }
    const { signal } = context
    for await (const each of door.listBelow(librarian, path, { isRecursive: flags.recursive, signal })) {
      total.files += each.files ?? 1
      total.bytes += each.size
      show(each, flags, context)
    }
    if (total.files === 0) warn(context, 'nothing is kept there.')
    else if (!context.flags.quiet && !context.flags.json && context.terminal.stdout.isTTY) {
      context.say(`${count(total.files, 'file')}, ${formatSize(total.bytes)}`)
    }
    return exitCodes.ok
  })
}

function show(listed: Listed, { long }: ListFlags, context: Context): void {
  const { name, kind, size, checksum, files, copies } = listed
  if (context.flags.json) return printJson(context, { name, kind, size, checksum, files, copies })
  const shown = printable(name)
  if (!context.terminal.stdout.isTTY) {
    const cells = [shown, size, kind, checksum ?? '']
    return printLine(context, [...cells, ...(long ? [copies?.here ?? '', copies?.good ?? ''] : [])].join('\t'))
  }
  const kindRemark = kind === 'directory' ? `  ${count(files ?? 0, 'file')}` : kind === 'tree' ? '  tree' : ''
  // Who looks at a list of what is kept must not take for kept what is not.
  const remark = `${kindRemark}${copies && copies.good === 0 && copies.here > 0 ? '  NO GOOD COPY HERE' : ''}`
  printLine(context, `${formatSize(size).padStart(11)}  ${shown}${kind === 'file' ? '' : '/'}${remark}`)
  if (long && checksum !== undefined) {
    const copiesRemark = copies === undefined ? '' : `  copies: ${shownCopies(copies)}`
    printLine(context, `${' '.repeat(13)}${printable(checksum)}${copiesRemark}`)
  }
}
