/** Asks receivers after transfers that have been open for too long (librarian 11.6, 12.7). */
import type { Connection } from '@arriero/api'
import type { OutgoingTransfer } from '../../catalogue/operations/outgoing-states.ts'
import type { TaskContext, TaskResult, TaskSettings } from '../../tasks/task.ts'
import { compareRemote } from './compare-remote.ts'
import type { SendingParts } from './parts.ts'

export type SuperviseOutgoing = (
  settings: TaskSettings<'outgoing_transfer_hypervisor'>,
  context: TaskContext,
) => Promise<TaskResult>

const PAGE = 200

export function createSuperviseOutgoing(parts: SendingParts): SuperviseOutgoing {
  const { catalogue, connections, log, name } = parts

  /** Undefined: no such librarian; `away`: it does not answer. */
  async function reach(destination: string, signal: AbortSignal): Promise<Connection | 'away' | undefined> {
    if (!(await catalogue.peers.find({ name: destination }))) return undefined
    try {
      const { connection } = await connections.to(destination)
      await connection.ping.any({}, { signal })
      return connection
    } catch (error) {
      signal.throwIfAborted()
      log.warn(
        { err: error, peer: destination },
        'The librarian does not answer; its old transfers are left as they are',
      )
      return 'away'
    }
  }

  async function settle(transfer: OutgoingTransfer, peer: Connection | 'away' | undefined, signal: AbortSignal) {
    if (peer === 'away') return 'left'
    if (!peer) return await fail(transfer, `There is no librarian ${transfer.destination} any more.`)
    try {
      const found = await compareRemote(peer, transfer, { signal })
      if (!found.isSame) return await fail(transfer, `It did not arrive in time. ${found.reason}`)
      await catalogue.sending.found({ id: transfer.id, storeIds: found.storeIds, sender: name })
      return 'completed'
    } catch (error) {
      signal.throwIfAborted()
      log.warn({ err: error, transfer: transfer.id }, 'An old transfer could not be asked after')
      return 'left'
    }
  }

  async function fail({ id }: OutgoingTransfer, reason: string): Promise<'failed'> {
    await catalogue.sending.fail({ transfers: [{ id }], reason })
    return 'failed'
  }

  return async ({ age_in_days: ageInDays }, { signal, isOverdue, progress }) => {
    const counts = { completed: 0, failed: 0, left: 0 }
    const peers = new Map<string, Connection | 'away' | undefined>()
    for (let after = 0; ; ) {
      const page = await catalogue.outgoing.stale({ ageInDays, after, limit: PAGE })
      for (const transfer of page) {
        if (signal.aborted || isOverdue()) return { outcome: 'partial', note: noteOf(counts), counts }
        const { id, destination } = transfer
        if (!peers.has(destination)) peers.set(destination, await reach(destination, signal))
        counts[await settle(transfer, peers.get(destination), signal)] += 1
        progress(counts)
        after = id
      }
      if (page.length < PAGE) return { outcome: 'done', note: noteOf(counts), counts }
    }
  }
}

function noteOf({ completed, failed, left }: Record<'completed' | 'failed' | 'left', number>): string {
  return `of old transfers ${completed} had arrived, ${failed} have failed, ${left} could not be asked after`
}
