import type { Command } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Librarian, type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { showTable } from '../librarian/show-table.ts'
import { printable } from '../text.ts'
import type { Run } from './define.ts'

interface RepairFlags extends LibrarianFlags {
  readonly dryRun?: boolean
}

type Copy = Awaited<ReturnType<Librarian['api']['repair']['file']>>['copies'][number]

export function define(command: Command, run: Run): void {
  command
    .argument('<name...>', 'names at the librarian')
    .addOption(librarianOption())
    .option('--dry-run', 'read all copies, and only say what would be done')
    .action(run(repair))
  command.addHelpText(
    'after',
    `
Examples:
  arriero repair 2026/ocean.nc --dry-run
  arriero repair 2026/ocean.nc night-1

The librarian reads all its copies. One that is damaged, missing or unreadable
gets the bytes of a good one: of another store, else of another librarian. What
was there is kept in the store's quarantine; nothing is deleted. Exit code 0
when all copies are good now; else 3 of a single name, 1 of several. For
administrators of the librarian.`,
  )
}

async function repair(names: string[], { dryRun = false, ...flags }: RepairFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    const rows: string[][] = []
    let bad = 0
    for (const name of names) {
      const asked = { file_name: name, dry_run: dryRun }
      const { copies } = await api.repair.file(asked, { signal: context.signal })
      for (const copy of copies) {
        if (!isGood(copy)) bad++
        if (context.flags.json) printJson(context, { ok: isGood(copy), name, ...copy })
        else rows.push([name, copy.store_name, copy.state, copy.outcome, copy.source ?? '', copy.quarantine_id ?? ''])
        if (!isGood(copy) && copy.reason !== null) warn(context, `${printable(name)}: ${printable(copy.reason)}`)
      }
    }
    if (rows.length > 0) showTable(['Name', 'Store', 'State', 'Outcome', 'From', 'Quarantine'], rows, context)
    if (bad === 0) return exitCodes.ok
    return names.length === 1 ? exitCodes.mismatch : exitCodes.someFailed
  })
}

function isGood({ outcome }: Copy): boolean {
  return outcome === 'good' || outcome === 'repaired'
}
