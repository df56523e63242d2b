import type { Command } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import { valued } from '../options/fetch.ts'
import { parseCount } from '../units.ts'
import type { Run } from './define.ts'

interface TrashFlags extends LibrarianFlags {
  readonly store?: string
  readonly after?: string
  readonly limit?: number
}

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command
    .addOption(librarianOption())
    .option('--store <NAME>', 'of this store alone')
    .option('--after <ID>', 'the page behind this one')
    .addOption(valued('--limit <N>', 'most copies (default: 64)', parseCount))
    .action(run(list))
  command
    .command('restore <id...>')
    .description('bring copies back under their names, and have them read')
    .addOption(librarianOption())
    .action(run(restore))
  command.addHelpText(
    'after',
    `
Examples:
  arriero trash
  arriero trash restore 5f0c…

Deleted copies wait here until they are purged, oldest first. Exit code 3 when a
copy came back and is not as it must be. With --json a line each, and no line
where there is none. For administrators of the librarian.`,
  )
}

async function list(_: string[], { store, after, limit = 64, ...flags }: TrashFlags, context: Context) {
  return withLibrarian(flags, context, async ({ api }) => {
    const page = await api.admin.trashList({ store_name: store, after, max_results: limit }, { signal: context.signal })
    if (context.flags.json) for (const each of page.trash) printJson(context, each)
    else if (page.trash.length === 0) warn(context, 'no copies in the trash found.')
    else {
      const rows = page.trash.map(each => [
        each.trash_id,
        each.file_name,
        each.store_name,
        shownTime(each.deleted_time),
        each.deleted_by,
        each.reason,
        shownTime(each.purge_time),
      ])
      showTable(['Id', 'Name', 'Store', 'Deleted (UTC)', 'By', 'Why', 'Kept until'], rows, context)
    }
    return exitCodes.ok
  })
}

async function restore(ids: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async ({ api }) => {
    let bad = 0
    for (const trash_id of ids) {
      const restored = await api.admin.trashRestore({ trash_id }, { signal: context.signal })
      const isGood = restored.state === 'ok'
      if (!isGood) bad++
      if (context.flags.json) printJson(context, { ok: isGood, ...restored })
      else if (!context.flags.quiet) context.say(`${restored.file_name} is back, and ${restored.state}`)
    }
    if (bad === 0) return exitCodes.ok
    return ids.length === 1 ? exitCodes.mismatch : exitCodes.someFailed
  })
}
