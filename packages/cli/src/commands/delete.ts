import type { Command } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { tellItem, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Librarian, type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import { valued } from '../options/fetch.ts'
import { count, printable } from '../text.ts'
import { parseCount } from '../units.ts'
import type { Run } from './define.ts'

interface DeleteFlags extends LibrarianFlags {
  readonly store: string
  readonly reason: string
  readonly elsewhere?: number
  readonly dryRun?: boolean
}

function countOrNone(text: string, flag: string): number {
  return parseCount(text, flag, 0)
}

type Plan = Awaited<ReturnType<Librarian['api']['deletion']['plan']>>

export function define(command: Command, run: Run): void {
  command
    .argument('<name...>', 'names at the librarian')
    .addOption(librarianOption())
    .requiredOption('--store <NAME>', 'whose copies go; all others stay')
    .option('--reason <TEXT>', 'kept with the trash and in the audit', 'an administrator asked for it')
    .addOption(valued('--elsewhere <N>', 'good copies that other librarians must prove (default: 0)', countOrNone))
    .option('--dry-run', 'have everything read, show what would go and why not, and change nothing')
    .action(run(remove))
  command.addHelpText(
    'after',
    `
Examples:
  arriero delete 2026/ocean.nc --store main --dry-run
  arriero delete 2026/ocean.nc --store main --reason 'room for 2027'
  arriero delete 2026/ocean.nc --store main --elsewhere 2

Before a copy goes, all others are read in full: enough of them must be good and
none bad. It waits in the trash, and arriero trash restore brings it back. Exit
code 1 when a copy stays, or would stay. For administrators of the librarian.`,
  )
}

async function remove(names: string[], flags: DeleteFlags, context: Context): Promise<number> {
  const { store: store_name, elsewhere: remote_copies, reason, dryRun = false } = flags
  return withLibrarian(flags, context, async ({ api, connection }, door) => {
    let kept = 0
    for (const file_name of names) {
      const copy = { file_name, store_name, remote_copies }
      try {
        if (dryRun) {
          const plan = await api.deletion.plan(copy, { signal: context.signal })
          if (!plan.may_go) kept++
          showPlan(plan, context)
        } else {
          const gone = await api.deletion.remove({ ...copy, reason }, { signal: context.signal })
          if (context.flags.json) printJson(context, { ok: true, ...gone })
          else if (!context.flags.quiet) {
            const proofs = gone.proofs + gone.remote_proofs
            context.say(
              `${printable(file_name)} is in the trash as ${gone.trash_id}; ${count(proofs, 'proof')} of others`,
            )
          }
        }
      } catch (error) {
        context.signal.throwIfAborted()
        const explained = door.explained(error, connection.url)
        if (names.length === 1) throw explained
        kept++
        const told = tellItem(explained)
        if (context.flags.json) printJson(context, { ok: false, file_name, error: told })
        else warn(context, toLine(told, printable(file_name)))
      }
    }
    return kept === 0 ? exitCodes.ok : exitCodes.someFailed
  })
}

function showPlan(plan: Plan, context: Context): void {
  if (context.flags.json) return printJson(context, { ok: plan.may_go, ...plan })
  const rows = plan.evidence.map(({ librarian, store, state, medium, time }) => [
    plan.file_name,
    librarian ?? 'here',
    store,
    state === 'ok' ? 'ok' : state.toUpperCase(),
    howOf(state, medium),
    time === null ? '' : shownTime(time),
  ])
  if (rows.length > 0) showTable(['Name', 'Librarian', 'Store', 'State', 'How', 'When (UTC)'], rows, context)
  const name = `${printable(plan.file_name)} on ${plan.store_name}`
  if (plan.may_go) context.say(`${name} would go to the trash.`)
  else warn(context, `${name} would stay: ${printable(plan.why_not ?? '')}`)
}

function howOf(state: string, medium: string): string {
  if (state === 'unavailable') return 'not read'
  if (medium === 'claim') return 'only said'
  return medium === 'peer-challenge' && state === 'ok' ? 'proven' : 'read'
}
