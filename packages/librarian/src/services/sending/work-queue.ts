/** Works on the queue whenever it is woken, beside the tasks that the settings schedule. */
import type { Log } from '../../log.ts'
import type { TaskResult } from '../../tasks/task.ts'
import type { CheckQueue } from './check-queue.ts'
import type { ConsumeQueue, QueueContext } from './consume-queue.ts'
import type { Wake, Woken } from './wake.ts'

export interface WorkQueueOptions {
  readonly wake: Wake
  readonly log: Log
  /** Undefined: the settings do not want it done. */
  readonly consume: ConsumeQueue | undefined
  readonly check: CheckQueue | undefined
  /** First pause before batches that are being moved are looked at again; each further one is longer. Default 500. */
  readonly lookMs?: number | undefined
}

const LONGEST_LOOK_MS = 60_000

export function createWorkQueue({ wake, log, consume, check, lookMs = 500 }: WorkQueueOptions) {
  async function run(
    what: Woken,
    work: ConsumeQueue | CheckQueue,
    signal: AbortSignal,
  ): Promise<TaskResult | undefined> {
    const context: QueueContext = { signal, isOverdue: () => false, progress: () => {} }
    try {
      return await work(context)
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, what }, 'The queue could not be worked on; its task tries again')
      return undefined
    }
  }

  return async (signal: AbortSignal): Promise<void> => {
    let pause = lookMs
    const consumeOnce = async () => {
      if (consume) await run('consume', consume, signal)
      pause = lookMs
    }
    const checkOnce = async () => {
      const counts = check && (await run('check', check, signal))?.counts
      // Those that arrived make room for others.
      if ((counts?.completed ?? 0) + (counts?.failed ?? 0) > 0) wake.want('consume')
      if ((counts?.running ?? 0) + (counts?.unknown ?? 0) === 0) return
      wake.want('check', pause)
      pause = Math.min(pause * 2, LONGEST_LOOK_MS)
    }
    await Promise.all([wake.serve('consume', consumeOnce, signal), wake.serve('check', checkOnce, signal)])
  }
}
