import type { ConsumeQueue } from '../services/sending/consume-queue.ts'
import { type TaskKind, task } from './task.ts'

/** Has the batches of the queue moved (librarian 12.5). */
export const consumeQueueTask = (consume: ConsumeQueue): TaskKind =>
  task({ key: 'consume_queue', run: (_, context) => consume(context) })
