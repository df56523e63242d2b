/** Has the batches of the queue moved (librarian 12.5). */
import { LibrarianError } from '@arriero/api'
import { type ClaimedItem, itemLease } from '../../catalogue/operations/send-queue.ts'
import type { TaskContext, TaskResult } from '../../tasks/task.ts'
import { keepLease } from '../hold-lease.ts'
import { leaseSecondsOf, ownHolder, type SendingParts } from './parts.ts'

export type QueueContext = Pick<TaskContext, 'signal' | 'isOverdue' | 'progress'>
export type ConsumeQueue = (context: QueueContext) => Promise<TaskResult>

export interface ConsumeQueueOptions extends SendingParts {
  /** Attempts after the first one, of one batch. */
  readonly maxRetries: number
  /** Batches that are moved at once by all processes together. */
  readonly maxMoving: number
  /** Seconds before the second attempt of a batch; each further one is twice as long after. Default 30. */
  readonly pauseSeconds?: number | undefined
}

/** Batches that one run begins at once: where bytes are copied by us, one of them must not hold up all others. */
const AT_ONCE = 4
const LONGEST_PAUSE_SECONDS = 3600

export function createConsumeQueue(options: ConsumeQueueOptions): ConsumeQueue {
  const { catalogue, carriers, alarms, clock, log, wake, maxRetries, maxMoving, pauseSeconds = 30 } = options
  const { sendQueue } = catalogue
  const seconds = leaseSecondsOf(options)

  /** False: there is nothing to do now. */
  async function consumeOne(signal: AbortSignal, counts: Counts): Promise<boolean> {
    const holder = ownHolder(options)
    const claim = await sendQueue.claimWaiting({ holder, seconds, most: maxMoving, notTo: [...counts.away] })
    if (claim === 'full') counts.full = 1
    if (claim === undefined || claim === 'full') return false
    await moveUnderLease(claim, holder, signal, counts)
    // Not before the lease is given back: whoever looks would find the batch in our hands, and go.
    wake.want('check')
    return true
  }

  async function moveUnderLease(
    claim: ClaimedItem,
    holder: string,
    signal: AbortSignal,
    counts: Counts,
  ): Promise<void> {
    const { itemId, token } = claim.hold
    await using lease = keepLease(itemLease(itemId), token, { catalogue, clock, holder, seconds })
    await move(claim, AbortSignal.any([signal, lease.lost]), counts)
  }

  async function move(claim: ClaimedItem, signal: AbortSignal, counts: Counts): Promise<void> {
    const { hold, item, open } = claim
    // Ended by others meanwhile: nothing is left to be moved.
    if (open.length === 0) return await sendQueue.complete({ hold, staged: [], failed: [] })
    try {
      const carrier = carriers.get(item.method as never)
      if (!carrier) throw new LibrarianError('Configuration', `Cannot send by ${item.method}: it is not known here`)
      const batch = { item, open, state: JSON.parse(item.async_transfer_manager) }
      await sendQueue.begin({ hold })
      const { state, refused } = await carrier.begin(batch, { signal })
      for (const [why, transfers] of Map.groupBy(refused, ({ reason }) => reason)) {
        await catalogue.sending.fail({ transfers, reason: why })
      }
      await sendQueue.begun({ hold, state: JSON.stringify(state), lookSeconds: carrier.lookSeconds })
      counts.begun += 1
    } catch (error) {
      // Stopped, or taken over: no failure of the batch, which is given again.
      signal.throwIfAborted()
      await failed(claim, error, counts)
    }
  }

  async function failed({ hold, item }: ClaimedItem, error: unknown, counts: Counts): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn({ err: error, item: item.id, peer: item.destination }, 'A batch could not be sent')
    counts.failed += 1
    const counted = !isAway(error)
    // The other batches for it would only wait for the same silence.
    if (!counted) counts.away.add(item.destination)
    if (counted && item.retries >= maxRetries) {
      const ended = await sendQueue.giveUp({ hold, reason })
      const message = `${ended} files could not be sent to ${item.destination} (batch ${item.id}): ${reason}`
      return await alarms.raise({ severity: 'error', category: 'transfer', message, caller: 'consume_queue' })
    }
    const pause = Math.min(pauseSeconds * 2 ** item.retries, LONGEST_PAUSE_SECONDS)
    await sendQueue.later({ hold, seconds: pause, reason, counts: counted })
    wake.want('consume', pause * 1000 + 10)
  }

  return async ({ signal, isOverdue, progress }) => {
    const counts: Counts = { begun: 0, failed: 0, full: 0, away: new Set() }
    const lane = async () => {
      while (!signal.aborted && !isOverdue() && (await consumeOne(signal, counts))) progress(shown(counts))
    }
    const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane))
    signal.throwIfAborted()
    const broken = lanes.find(each => each.status === 'rejected')
    if (broken) throw broken.reason
    if (counts.full > 0)
      return { outcome: 'partial', note: `${maxMoving} batches are being moved`, counts: shown(counts) }
    const outcome = isOverdue() ? 'partial' : 'done'
    return { outcome, note: `${counts.begun} batches were begun`, counts: shown(counts) }
  }
}

interface Counts {
  begun: number
  failed: number
  full: number
  /** Destinations that did not answer in this run. */
  readonly away: Set<string>
}

const shown = ({ begun, failed }: Counts) => ({ begun, failed })

/** Nobody was there, or had no time: nothing was tried, so it is no failed attempt. */
function isAway(error: unknown): boolean {
  return error instanceof LibrarianError && ['PeerUnreachable', 'Busy', 'TooMany'].includes(error.code)
}
