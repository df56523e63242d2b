/** Bad copies get good bytes (librarian 12.11, reliability B5): under the name of the older librarian's settings, and under ours. */
import type { RepairReport, RepairService } from '../services/repair/repair.ts'
import { type TaskContext, type TaskKind, type TaskResult, task } from './task.ts'

export function repairTasks(service: Pick<RepairService, 'repairAll'>): TaskKind[] {
  const run = (actor: string) => async (_: unknown, context: TaskContext) => {
    const { signal, isOverdue } = context
    const report = await service.repairAll({ actor, signal, isOverdue, progress: counts => context.progress(counts) })
    return resultOf(report, isOverdue())
  }
  return [
    task<'corruption_fixer'>({ key: 'corruption_fixer', run: run('task:corruption_fixer') }),
    task<'repair'>({ key: 'repair', run: run('task:repair') }),
  ]
}

function resultOf(report: RepairReport, isOverdue: boolean): TaskResult {
  const { repaired, requested, kept, unavailable } = report
  const note = `${repaired} copies were repaired, ${requested} are sent again by other librarians, ${kept} could not be repaired`
  const outcome = kept > 0 ? 'failed' : isOverdue || requested + unavailable > 0 ? 'partial' : 'done'
  return { outcome, note, counts: { ...report } }
}
