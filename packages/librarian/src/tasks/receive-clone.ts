/** `recieve_clone` (librarian 12.4). */
import type { Receiver } from '../services/clones/receive.ts'
import { type TaskKind, task } from './task.ts'

export function receiveClone(receiver: Receiver): TaskKind {
  return task({
    key: 'recieve_clone',
    async run({ deletion_policy, files_per_run }, { signal, isOverdue, progress }) {
      const { isAll, ...counts } = await receiver.receive({
        deletionPolicy: deletion_policy === 1 ? 'ALLOWED' : 'DISALLOWED',
        limit: files_per_run,
        signal,
        isOverdue,
        progress: report => progress({ ...report }),
      })
      return {
        outcome: isAll ? 'done' : 'partial',
        note: `${counts.received} received, ${counts.failed} failed, ${counts.left} left for the next run`,
        counts,
      }
    },
  })
}
