/** The receiver fetches by itself (decision 0031): it is told which transfers it may fetch, and asked how far it is. */
import { LibrarianError, MAX_BATCH } from '@arriero/api'
import { chunks } from '../../catalogue/operations/outgoing-states.ts'
import type { ItemTransfer } from '../../catalogue/operations/send-queue.ts'
import type { PeerConnections } from '../peer-connections.ts'
import { askReceiver } from './ask-receiver.ts'
import type { CarriedBatch, Carrier, FailedTransfer, Standing } from './carrier.ts'

export interface PullCarrierOptions {
  readonly connections: PeerConnections
  /** As of carriers. Default 30. */
  readonly lookSeconds?: number | undefined
}

export function pullCarrier({ connections, lookSeconds = 30 }: PullCarrierOptions): Carrier {
  async function want({ item, open }: Pick<CarriedBatch, 'item' | 'open'>, signal: AbortSignal) {
    const { connection } = await connections.to(item.destination)
    const transfers = open.map(({ id, remote_transfer_id }) => ({
      source_transfer_id: id,
      destination_transfer_id: remote_transfer_id!,
    }))
    const ids = new Map(open.map(({ id, remote_transfer_id }) => [remote_transfer_id, id]))
    const failed: FailedTransfer[] = []
    for (const part of chunks(transfers, MAX_BATCH)) {
      const { refused } = await connection.clone.pull({ transfers: part }, { signal })
      for (const { destination_transfer_id, reason } of refused) {
        const id = ids.get(destination_transfer_id)
        if (id !== undefined) failed.push({ id, reason: `The receiver does not fetch it: ${reason}` })
      }
    }
    return failed
  }

  async function look(batch: CarriedBatch, signal: AbortSignal): Promise<Standing> {
    const { connection } = await connections.to(batch.item.destination)
    const { running, waiting, failed } = await askReceiver(connection, batch.open.map(toAsked), { signal })
    const forgotten = new Set(waiting)
    // It has not even begun: it may never have kept that we asked.
    if (forgotten.size > 0) await want({ ...batch, open: batch.open.filter(({ id }) => forgotten.has(id)) }, signal)
    return running.length > 0 ? { status: 'running' } : { status: 'complete', failed }
  }

  return {
    name: 'http',
    isAnnounced: false,
    lookSeconds,
    whyNot: () => undefined,
    begin: async (batch, { signal }) => ({ state: batch.state, refused: await want(batch, signal) }),
    async standing(batch, { signal }) {
      try {
        return await look(batch, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof LibrarianError)) throw error
        return { status: 'unknown', reason: error.message }
      }
    },
    // Whoever gives up tells the receiver of each transfer.
    cancel: async () => {},
    details: async () => undefined,
  }
}

const toAsked = ({ id, remote_transfer_id }: ItemTransfer) => ({ id, remoteId: remote_transfer_id! })
