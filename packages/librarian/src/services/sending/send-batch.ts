/**
 * One batch for one destination (librarian 11.4, steps 2 to 7):
 *
 *     begin      lease of the destination; what a dead process left is ended; a transfer for each file
 *     announce   the receiver takes all of them, or names those that it does not take:
 *                  409 it has the name: compared, and complete where it is the same file
 *                  406, 425 another attempt is there: these fail, and are tried again in a later run
 *                and the rest is announced again at once (librarian Q15)
 *     pair       its numbers and places, and an item of the queue, in one transaction
 *     ongoing    both sides say that it goes on; where that is lost, the queue makes up for it
 *
 * Killed between announce and pair, the receiver keeps transfers that nobody drives: the next batch ends ours, the receiver
 * ends its own when they are announced again (406), and the one after that succeeds.
 */
import { type BatchOrder, batchLease } from '../../catalogue/operations/begin-batch.ts'
import { keepLease } from '../hold-lease.ts'
import { BatchRun, type SentTransfer } from './batch-run.ts'
import { leaseSecondsOf, ownHolder, type SendingParts } from './parts.ts'

export type SendOrder = Omit<BatchOrder, 'holder' | 'seconds'>

export interface BatchOutcome {
  /** In the queue. */
  readonly sent: readonly SentTransfer[]
  /** Were there already. */
  readonly known: number
  readonly failed: number
  /** Names that have no copy to send. */
  readonly without: readonly string[]
  /** Why the next batch should wait for the next run. */
  readonly stop: string | undefined
}

/** `busy`: another batch for the same destination is being made. */
export type SendBatch = (order: SendOrder, options: { signal: AbortSignal }) => Promise<BatchOutcome | 'busy'>

export function createSendBatch(parts: SendingParts): SendBatch {
  const { catalogue, connections, clock } = parts
  return async (order, { signal }) => {
    const { destination } = order
    const { connection } = await connections.to(destination)
    const seconds = leaseSecondsOf(parts)
    const holder = ownHolder(parts)
    const batch = await catalogue.sending.begin({ ...order, holder, seconds })
    if (!batch) return 'busy'
    const { token, transfers, without } = batch
    await using lease = keepLease(batchLease(destination), token, { catalogue, clock, holder, seconds })
    const run = new BatchRun({
      parts,
      connection,
      hold: { destination, token },
      isResend: order.instanceId !== undefined,
      signal: AbortSignal.any([signal, lease.lost]),
    })
    await run.send(transfers)
    const { sent, known, failed, stop } = run
    return { sent, known, failed, stop, without }
  }
}
