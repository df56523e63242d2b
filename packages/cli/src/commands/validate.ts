import type { Command } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { showTable } from '../librarian/show-table.ts'
import { printable } from '../text.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command.argument('<name...>', 'names at the librarian').addOption(librarianOption())
  command.addHelpText(
    'after',
    `
Examples:
  arriero validate 2026/ocean.nc
  arriero validate night-1 --json

The librarian, and every other one that has a copy from it, reads its copies and
compares them. Exit code 0 only when there is a copy and all of them are good, 3
when one is not.`,
  )
  command.action(run(validate))
}

async function validate(names: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const rows: (string | number)[][] = []
    let bad = 0
    let without = 0
    for (const name of names) {
      const copies = await api.validate.file({ file_name: name }, { signal: context.signal })
      if (copies.length === 0) {
        without++
        warn(context, `no copy of ${printable(name)} could be read.`)
      }
      for (const copy of copies) {
        const isGood = copy.computed_same_checksum
        if (!isGood) bad++
        if (copy.reason !== undefined) warn(context, `${printable(name)}: ${printable(copy.reason)}`)
        if (context.flags.json) printJson(context, { ok: isGood, name, ...copy })
        else {
          const verdict = isGood ? 'ok' : 'MISMATCH'
          rows.push([
            name,
            copy.librarian,
            copy.store,
            verdict,
            copy.current_size,
            copy.original_checksum,
            copy.current_checksum,
          ])
        }
      }
    }
    if (!context.flags.json)
      showTable(['Name', 'Librarian', 'Store', 'State', 'Bytes', 'Recorded', 'Read'], rows, context)
    if (bad > 0) return names.length === 1 ? exitCodes.mismatch : exitCodes.someFailed
    if (without > 0) {
      if (names.length > 1) return exitCodes.someFailed
      throw new ProgramError('NotFound', `Nothing could be compared: no copy of ${names[0]} was read.`)
    }
    return exitCodes.ok
  })
}
