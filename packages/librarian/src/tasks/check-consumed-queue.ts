import { transferStatuses } from '@arriero/api'
import type { CheckQueue } from '../services/sending/check-queue.ts'
import { type TaskKind, task } from './task.ts'

/** Looks after the batches that are being moved (librarian 12.6). */
export const checkConsumedQueueTask = (check: CheckQueue): TaskKind =>
  task({
    key: 'check_consumed_queue',
    async run({ complete_status: status }, context) {
      if (status === transferStatuses.STAGED) return await check(context)
      // Whatever has arrived is staged, and nothing else can be said of it.
      return { outcome: 'off', note: `complete_status must be 2 (STAGED), not ${status}`, counts: {} }
    },
  })
