/** `--once`: every recurring task, and what came of it. */
import type { RunTasksOptions, TaskRunReport } from '@arriero/librarian'
import { type Context, printJson } from '../context.ts'
import { showTable } from '../librarian/show-table.ts'

type Door = Pick<typeof import('@arriero/librarian'), 'runTasks'>

/** Resolves to whether none of them failed. */
export async function runOnce({ runTasks }: Door, options: RunTasksOptions, context: Context): Promise<boolean> {
  const reports = await runTasks(options)
  if (context.flags.json) for (const report of reports) printJson(context, report)
  else showTable(['Kind', 'Name', 'Outcome', 'Note'], reports.map(cellsOf), context)
  return reports.every(({ outcome }) => outcome !== 'failed' && outcome !== 'off')
}

function cellsOf({ kind, name, outcome, note }: TaskRunReport): string[] {
  return [kind, name, outcome, note]
}
