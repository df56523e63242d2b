/**
 * Repair of a copy at a downstream librarian, which asks for it (librarian 10.10, 11.9): a good copy of ours is sent again,
 * although that librarian is known to have one.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { File, Instance } from '../../catalogue/operations/instances.ts'
import type { CopyReader } from '../copies/read-copies.ts'
import { findFile } from '../copies/read-copies.ts'
import type { SendingParts } from './parts.ts'
import type { BatchOutcome, SendBatch } from './send-batch.ts'

export interface Resend {
  /**
   * Resolves when a good copy could be sent.
   *
   * @throws LibrarianError `UnknownLibrarian`, `NotYours`, `NotFound`, `Mismatch`, `PeerUnreachable`, `Conflict`
   */
  prepare(order: ResendOrder, options: { signal: AbortSignal }): Promise<void>
  /** The same, and sends it. Resolves to the receiver's number of the transfer. */
  resend(order: ResendOrder, options: { signal: AbortSignal }): Promise<number>
}

export interface ResendOrder {
  readonly fileName: string
  /** The librarian whose copy is bad. */
  readonly librarianName: string
  /** Who asks: that librarian, and nobody for it. */
  readonly caller: string
}

export interface ResendOptions {
  readonly parts: SendingParts
  readonly catalogue: Pick<Catalogue, 'instances'>
  readonly reader: Pick<CopyReader, 'read'>
  readonly sendBatch: SendBatch
  /** Whether the settings have both tasks that move the queue. */
  readonly isQueueServed: boolean
  /** How long another batch for the same librarian is waited for. Default 60,000. */
  readonly patienceMs?: number | undefined
}

const PAUSE_MS = 200

export function createResend(options: ResendOptions): Resend {
  const { parts, catalogue, reader, sendBatch, isQueueServed, patienceMs = 60_000 } = options
  const { connections, clock } = parts

  /** The copy to send, read in full just now. */
  async function goodCopy({ fileName }: ResendOrder): Promise<Instance> {
    const { file, instances } = await findFile(catalogue, fileName)
    const available = instances.filter(({ available: isThere }) => isThere === 1)
    if (available.length === 0) throw new LibrarianError('Conflict', `Cannot send ${fileName}: no copy is available`)
    const states: string[] = []
    for (const copy of available) {
      const { state } = await reader.read(file as File, copy)
      if (state === 'ok') return copy
      states.push(state)
    }
    const found = [...new Set(states)].join(' or ')
    throw new LibrarianError('Mismatch', `Cannot send ${fileName}: every copy here is ${found}`, {
      remedy: 'Tell the operator of this librarian: its own copies must be repaired first.',
    })
  }

  async function demandReachable({ librarianName }: ResendOrder, signal: AbortSignal): Promise<void> {
    const { peer, connection } = await connections.to(librarianName)
    if (!peer.transfersEnabled) {
      throw new LibrarianError('Conflict', `Cannot send to ${librarianName}: transfers to it are switched off`)
    }
    if (!isQueueServed) {
      throw new LibrarianError('Conflict', 'Cannot send: no tasks consume_queue and check_consumed_queue are set', {
        remedy: 'Tell the operator of this librarian: its background settings must have both.',
      })
    }
    try {
      await connection.ping.logged({}, { signal })
    } catch (error) {
      signal.throwIfAborted()
      const told = error instanceof Error ? error.message : String(error)
      throw new LibrarianError('PeerUnreachable', `Cannot log in at ${librarianName}: ${told}`, { cause: error })
    }
  }

  async function prepare(order: ResendOrder, signal: AbortSignal): Promise<Instance> {
    const { librarianName, caller } = order
    if (!(await parts.catalogue.peers.find({ name: librarianName }))) {
      throw new LibrarianError('UnknownLibrarian', `There is no librarian ${librarianName}`)
    }
    if (caller !== librarianName) {
      throw new LibrarianError('NotYours', `Cannot ask for ${librarianName}: ${caller} must be called so`)
    }
    // What costs nothing first: a file may have terabytes.
    await demandReachable(order, signal)
    return await goodCopy(order)
  }

  async function send(order: ResendOrder, copy: Instance, signal: AbortSignal): Promise<BatchOutcome> {
    const batch = { destination: order.librarianName, names: [order.fileName], instanceId: copy.id }
    const givesUpAt = clock.now() + patienceMs
    for (;;) {
      const outcome = await sendBatch(batch, { signal })
      if (outcome !== 'busy') return outcome
      if (clock.now() > givesUpAt) {
        throw new LibrarianError('Conflict', `Cannot send ${order.fileName} now: another batch is being announced`)
      }
      await clock.sleep(PAUSE_MS, signal)
    }
  }

  return {
    async prepare(order, { signal }) {
      await prepare(order, signal)
    },
    async resend(order, { signal }) {
      const outcome = await send(order, await prepare(order, signal), signal)
      const [transfer] = outcome.sent
      if (transfer) return transfer.remoteId
      const why = outcome.stop ?? (outcome.failed > 0 ? 'it was refused' : 'it is being sent already')
      throw new LibrarianError('Conflict', `Cannot send ${order.fileName} to ${order.librarianName}: ${why}`)
    },
  }
}
