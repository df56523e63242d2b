/** `arriero serve --restore`: what was put back, what was taken over since, and what is still different. */
import { type Context, printJson, printLine } from '../context.ts'
import { isHarmless } from '../doctor/catalogue.ts'
import { count, printable } from '../text.ts'

type Door = typeof import('@arriero/librarian')

/** Resolves to whether catalogue and stores agree. */
export async function restore(
  { restoreCatalogue }: Door,
  options: Parameters<Door['restoreCatalogue']>[0],
  context: Context,
): Promise<boolean> {
  const report = await restoreCatalogue(options)
  const { backup, replaced, added, removed, problems, differences } = report
  if (context.flags.json) printJson(context, { ...report, backup: backup ?? null, replaced: replaced ?? null })
  else {
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
  return problems.length === 0 && differences.every(({ difference }) => isHarmless(difference))
}
