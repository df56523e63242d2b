/** Looks after the batches that are being moved (librarian 12.6). */
import { instantOf, millisecondsOf, transferStatuses } from '@arriero/api'
import type { TransferDetails } from '@arriero/transfer'
import {
  type ClaimedItem,
  type CompletedTransfer,
  type ItemTransfer,
  itemLease,
} from '../../catalogue/operations/send-queue.ts'
import type { TaskResult } from '../../tasks/task.ts'
import { keepLease } from '../hold-lease.ts'
import { someNames } from '../some-names.ts'
import { askReceiver } from './ask-receiver.ts'
import type { CarriedBatch, Carrier, FailedTransfer } from './carrier.ts'
import type { QueueContext } from './consume-queue.ts'
import { leaseSecondsOf, ownHolder, type SendingParts } from './parts.ts'

export type CheckQueue = (context: QueueContext) => Promise<TaskResult>

export function createCheckQueue(parts: SendingParts): CheckQueue {
  const { catalogue, connections, carriers, alarms, clock, log, name } = parts
  const { sendQueue } = catalogue
  const seconds = leaseSecondsOf(parts)

  /** `unknown`: nobody could be asked. */
  type End = 'running' | 'unknown' | 'completed' | 'failed'

  /** Undefined: there is none after `after`. */
  async function checkOne(
    after: number,
    away: Set<string>,
    signal: AbortSignal,
  ): Promise<{ id: number; end: End } | undefined> {
    const holder = ownHolder(parts)
    const claim = await sendQueue.claimMoving({ holder, seconds, after, notTo: [...away] })
    if (!claim) return undefined
    const { itemId, token } = claim.hold
    await using lease = keepLease(itemLease(itemId), token, { catalogue, clock, holder, seconds })
    const under = AbortSignal.any([signal, lease.lost])
    try {
      const end = await look(claim, under)
      if (end === 'unknown') away.add(claim.item.destination)
      return { id: itemId, end }
    } catch (error) {
      under.throwIfAborted()
      log.warn({ err: error, item: itemId, peer: claim.item.destination }, 'A batch could not be looked after')
      away.add(claim.item.destination)
      return { id: itemId, end: 'unknown' }
    }
  }

  async function look(claim: ClaimedItem, signal: AbortSignal): Promise<End> {
    const { item, open } = claim
    const carrier = carriers.get(item.method as never)
    if (!carrier) return await giveUp(claim, `It was sent by ${item.method}, which is not known here.`)
    const batch = { item, open, state: JSON.parse(item.async_transfer_manager) }
    if (open.length === 0) return await allEnded(claim, carrier, batch, signal)
    const standing = await carrier.standing(batch, { signal })
    if (standing.status === 'running') {
      const { lookSeconds } = carrier
      if (lookSeconds > 0) await sendQueue.moving({ hold: claim.hold, lookSeconds })
      return 'running'
    }
    if (standing.status === 'unknown') {
      log.debug({ item: item.id, reason: standing.reason }, 'Nobody knows where a batch stands')
      return 'unknown'
    }
    if (standing.status === 'failed') {
      await carrier.cancel(batch, { signal }).catch(error => log.warn({ err: error }, 'A batch could not be cancelled'))
      return await giveUp(claim, standing.reason)
    }
    return await arrived(claim, carrier, batch, standing.failed, signal)
  }

  async function arrived(
    claim: ClaimedItem,
    carrier: Carrier,
    batch: CarriedBatch,
    failedThere: readonly FailedTransfer[],
    signal: AbortSignal,
  ): Promise<End> {
    const failed = carrier.isAnnounced ? await announce(claim, signal) : failedThere
    if (failed === undefined) return 'running'
    const bad = new Set(failed.map(({ id }) => id))
    const staged = claim.open.filter(({ id }) => !bad.has(id)).map(({ id }) => id)
    const isGood = staged.length + claim.completed > 0
    const details = isGood ? await detailsOf(claim, carrier, batch, signal) : undefined
    await sendQueue.complete({ hold: claim.hold, staged, failed, details })
    return isGood ? 'completed' : 'failed'
  }

  /** Those that the receiver does not have; undefined: it has not taken notice of all yet. */
  async function announce(
    { item, open }: ClaimedItem,
    signal: AbortSignal,
  ): Promise<readonly FailedTransfer[] | undefined> {
    const { connection } = await connections.to(item.destination)
    const ids = open.map(({ remote_transfer_id }) => remote_transfer_id!)
    const told = await connection.checkin.update(
      { source_transfer_ids: [], destination_transfer_ids: ids, new_status: transferStatuses.STAGED },
      { signal },
    )
    const modified = new Set(told.modified_destination_transfer_ids)
    // Told before and the answer was lost, or ended there.
    const others = open.map(toAsked).filter(({ remoteId }) => !modified.has(remoteId))
    if (others.length === 0) return []
    const { running, failed } = await askReceiver(connection, others, { signal })
    return running.length > 0 ? undefined : failed
  }

  async function allEnded(
    claim: ClaimedItem,
    carrier: Carrier,
    batch: CarriedBatch,
    signal: AbortSignal,
  ): Promise<End> {
    if (claim.completed > 0) return await arrived({ ...claim, open: [] }, silent(carrier), batch, [], signal)
    await carrier.cancel(batch, { signal }).catch(error => log.warn({ err: error }, 'A batch could not be cancelled'))
    await sendQueue.giveUp({ hold: claim.hold, reason: 'All of its transfers were ended.' })
    return 'failed'
  }

  async function giveUp({ hold, item, open }: ClaimedItem, reason: string): Promise<End> {
    await sendQueue.giveUp({ hold, reason })
    const message = `${namesOf(open)} did not arrive at ${item.destination} (batch ${item.id}): ${reason}`
    await alarms.raise({ severity: 'error', category: 'transfer', message, caller: 'check_consumed_queue' })
    return 'failed'
  }

  /** Whatever the method tells, or else what we know ourselves. */
  async function detailsOf(claim: ClaimedItem, carrier: Carrier, batch: CarriedBatch, signal: AbortSignal) {
    const own = ownDetails(claim, name)
    try {
      const told = await carrier.details(batch, { signal })
      return told ? toRow(told, claim.item) : own
    } catch (error) {
      log.warn({ err: error, item: claim.item.id }, 'Nothing more is known of how a batch was moved')
      return own
    }
  }

  return async ({ signal, isOverdue, progress }) => {
    const counts = { running: 0, unknown: 0, completed: 0, failed: 0 }
    // The other batches for them would only wait for the same silence.
    const away = new Set<string>()
    for (let after = 0; !signal.aborted && !isOverdue(); ) {
      const checked = await checkOne(after, away, signal)
      if (!checked) return { outcome: 'done', note: `${counts.completed} batches have arrived`, counts }
      after = checked.id
      counts[checked.end] += 1
      progress(counts)
    }
    return { outcome: 'partial', note: `${counts.completed} batches have arrived`, counts }
  }
}

const namesOf = (open: readonly ItemTransfer[]) => someNames(open.map(({ file_name }) => file_name ?? 'deleted'))

const toAsked = ({ id, remote_transfer_id }: ItemTransfer) => ({ id, remoteId: remote_transfer_id! })

/** Nothing is open, so there is nothing to be told. */
const silent = (carrier: Carrier): Carrier => ({ ...carrier, isAnnounced: false })

/** A method's clock tells milliseconds, or a zone; a catalogue takes instants and nothing else. */
function toRow(told: TransferDetails, { id, method }: ClaimedItem['item']): CompletedTransfer {
  return {
    // Methods of one machine name theirs by the time, and two batches may end in the same millisecond.
    task_id: method === 'globus' ? told.taskId : `${told.taskId}_${id}`,
    source_endpoint_id: told.sourceEndpoint,
    destination_endpoint_id: told.destinationEndpoint,
    start_time: instantOf(new Date(told.startTime)),
    end_time: instantOf(new Date(told.endTime)),
    duration_seconds: told.duration,
    bytes_transferred: told.bytes,
    effective_bandwidth_bps: told.bandwidth,
  }
}

/** Times are the database's. A batch that took no time at all took a millisecond. */
function ownDetails({ item, bytes, now }: ClaimedItem, name: string): CompletedTransfer {
  const start = item.consumed_time ?? item.created_time
  const seconds = Math.max(millisecondsOf(now) - millisecondsOf(start), 1) / 1000
  return {
    task_id: `${item.method}_${item.id}_${start}`,
    source_endpoint_id: name,
    destination_endpoint_id: item.destination,
    start_time: start,
    end_time: now,
    duration_seconds: seconds,
    bytes_transferred: bytes,
    effective_bandwidth_bps: bytes / seconds,
  }
}
