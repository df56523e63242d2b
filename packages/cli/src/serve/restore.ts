/** `arriero serve --restore`: what was put back, what was taken over since, and what is still different. */
import { type Context, printJson, printLine } from '../context.ts'
import { isHarmless } from '../doctor/catalogue.ts'
import { count, printable } from '../text.ts'
import { takenOverText } from './taken-over-text.ts'

export const noAdminText =
  'There is no administrator in this catalogue, so that nobody can change users or stores: make one with ' +
  'arriero serve --replay --reset-admin (and the same settings) before the server starts.'

type Door = typeof import('@arriero/librarian')

type Options = Parameters<Door['restoreCatalogue']>[0] & {
  /** An administrator is made next. */
  readonly givesAdmin: boolean
}

/** Resolves to whether catalogue and stores agree. */
export async function restore(
  { restoreCatalogue }: Door,
  { givesAdmin, ...options }: Options,
  context: Context,
): Promise<boolean> {
  const report = await restoreCatalogue(options)
  const { backup, replaced, added, removed, problems, takenOver, differences } = report
  if (context.flags.json) printJson(context, { ...report, backup: backup ?? null, replaced: replaced ?? null })
  else {
    for (const store of takenOver) printLine(context, printable(takenOverText(store)))
    for (const problem of problems) printLine(context, printable(problem))
    for (const { difference, store, what, next } of differences) {
      printLine(context, printable(`${difference} ${store}: ${what}`))
      printLine(context, printable(`  -> ${next}`))
    }
    if (backup !== undefined) printLine(context, printable(`restored ${backup}`))
    if (replaced !== undefined) printLine(context, printable(`the catalogue that was there is ${replaced}`))
    printLine(
      context,
      `${count(added, 'file')} taken over from the stores’ manifests, ${removed} put away since, ` +
        `${count(problems.length + differences.length, 'difference')}`,
    )
  }
  // On stderr also with --quiet and --json: the next start would write a password into whatever keeps its output.
  if (report.administrators === 0 && !givesAdmin) context.say(noAdminText)
  return problems.length === 0 && differences.every(({ difference }) => isHarmless(difference))
}
