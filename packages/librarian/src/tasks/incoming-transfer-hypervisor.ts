/** `incoming_transfer_hypervisor` (librarian 11.6, 12.8). */
import { resolveStale, type StaleIncomingOptions } from '../services/clones/stale-incoming.ts'
import { type TaskKind, task } from './task.ts'

const DAY_SECONDS = 86_400

export function incomingTransferHypervisor(options: StaleIncomingOptions): TaskKind {
  return task({
    key: 'incoming_transfer_hypervisor',
    async run({ age_in_days }, { signal, isOverdue }) {
      const olderThanSeconds = age_in_days * DAY_SECONDS
      const { isAll, ...counts } = await resolveStale({ olderThanSeconds, signal, isOverdue }, options)
      return {
        outcome: isAll ? 'done' : 'partial',
        note: `${counts.failed} ended, ${counts.adopted} taken over, ${counts.left} left as they were`,
        counts,
      }
    },
  })
}
