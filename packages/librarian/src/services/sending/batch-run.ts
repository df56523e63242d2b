import { type Connection, FLOWS, LibrarianError, transferStatuses } from '@arriero/api'
import type { MethodName } from '@arriero/transfer'
import type { BatchTransfer } from '../../catalogue/operations/begin-batch.ts'
import { NAME_TAKEN } from '../../catalogue/operations/outgoing-states.ts'
import { pullManager } from '../../catalogue/operations/receiving/pull-manager.ts'
import type { BatchHold, Pairing } from '../../catalogue/operations/sending.ts'
import { chooseMethod } from '../methods/choose-method.ts'
import { announcementOf, type Pairs, pairsOf, refusedIds, type Staged } from './announcement.ts'
import type { Carrier } from './carrier.ts'
import { compareRemote } from './compare-remote.ts'
import type { SendingParts } from './parts.ts'
import { isRefusal, tellRefused } from './refused-account.ts'

export interface SentTransfer {
  readonly id: number
  readonly name: string
  readonly remoteId: number
}

export interface BatchRunOptions {
  readonly parts: SendingParts
  readonly connection: Connection
  readonly hold: BatchHold
  /** The destination is known to have it, and asks for it all the same. */
  readonly isResend: boolean
  readonly signal: AbortSignal
}

/** One batch from its announcement to the queue, and what became of it so far (`send-batch.ts`). */
export class BatchRun {
  readonly sent: SentTransfer[] = []
  known = 0
  failed = 0
  /** Why the next batch should wait for the next run. */
  stop: string | undefined
  /** It does not take our account: what was to be sent waits. */
  isRefused = false
  readonly #parts: SendingParts
  readonly #connection: Connection
  readonly #hold: BatchHold
  readonly #isResend: boolean
  readonly #signal: AbortSignal

  constructor({ parts, connection, hold, isResend, signal }: BatchRunOptions) {
    this.#parts = parts
    this.#connection = connection
    this.#hold = hold
    this.#isResend = isResend
    this.#signal = signal
  }

  async send(transfers: readonly BatchTransfer[]): Promise<void> {
    let left = transfers
    while (left.length > 0 && this.stop === undefined) left = await this.#announce(left)
    // Each run would leave a batch of failed ones, and none would say more than the first.
    if (this.isRefused) await this.#parts.catalogue.sending.discard({ ids: left.map(({ id }) => id) })
    else await this.#fail(left, this.stop ?? '')
  }

  /** Resolves to those that are to be announced again. */
  async #announce(transfers: readonly BatchTransfer[]): Promise<readonly BatchTransfer[]> {
    const announcement = announcementOf(transfers, this.#parts.name)
    let staged: Staged
    try {
      staged = await this.#connection.clone.batchStage(announcement, { signal: this.#signal })
    } catch (error) {
      return await this.#refused(this.#told(error), transfers)
    }
    await this.#settle(staged, transfers)
    return []
  }

  async #refused(error: LibrarianError, transfers: readonly BatchTransfer[]): Promise<readonly BatchTransfer[]> {
    const ids = refusedIds(error)
    const bad = transfers.filter(({ id }) => ids.has(id))
    const isOfItems = ['FileExists', 'TransferReplaced', 'TransferOngoing'].includes(error.code)
    if (!isOfItems || bad.length === 0) {
      this.isRefused = isRefusal(error)
      this.stop = this.isRefused ? await tellRefused(this.#parts, this.#hold.destination, error) : error.message
      return transfers
    }
    if (error.code === 'FileExists') await this.#compareAll(bad)
    else await this.#fail(bad, error.message)
    return transfers.filter(({ id }) => !ids.has(id))
  }

  async #compareAll(transfers: readonly BatchTransfer[]): Promise<void> {
    for (const transfer of transfers) {
      try {
        await this.#compare(transfer)
      } catch (error) {
        this.stop = this.#told(error).message
        await this.#fail([transfer], this.stop)
      }
    }
  }

  async #compare(transfer: BatchTransfer): Promise<void> {
    const announced = { file_name: transfer.name, transfer_checksum: transfer.checksum }
    const found = await compareRemote(this.#connection, announced, { signal: this.#signal })
    if (found.isSame && !this.#isResend) {
      const { id } = transfer
      await this.#parts.catalogue.sending.found({ id, storeIds: found.storeIds, sender: this.#parts.name })
      this.known += 1
      return
    }
    if (found.isSame) return await this.#fail([transfer], 'The destination has the file already.')
    // It has refused the name just now.
    await this.#fail([transfer], found.isThere ? found.reason : NAME_TAKEN)
    const { name, checksum } = transfer
    const cannot = `${name} cannot be sent to ${this.#hold.destination}`
    if (!found.isThere)
      await this.#alarm('data_integrity', `${cannot}: a name that is kept there lies below it, or above it`)
    else if (found.other !== undefined)
      await this.#alarm('data_integrity', `${cannot}: it has ${found.other} under this name, not ${checksum}`)
  }

  async #settle(staged: Staged, transfers: readonly BatchTransfer[]): Promise<void> {
    const pairs = pairsOf(staged, transfers)
    const paired = new Set(pairs.map(({ id }) => id))
    const unpaired = transfers.filter(({ id }) => !paired.has(id))
    await this.#fail(unpaired, 'The receiver’s answer has no good place for it.')
    if (pairs.length === 0) return
    const choice = chooseMethod(staged.async_transfer_providers, await this.#usable())
    if ('whyNot' in choice) {
      this.stop = `No way leads to ${this.#hold.destination}: ${choice.whyNot}`
      await this.#fail(pairs, this.stop)
      return await this.#alarm('configuration', this.stop)
    }
    const { method, state } = choice
    const forgetsCopies = this.#isResend
    const pairing = { hold: this.#hold, method: method.name, state: JSON.stringify(state), pairs, forgetsCopies }
    await this.#pair(pairing, transfers)
  }

  /** Only a librarian that says so of itself answers when it is asked to fetch. */
  async #usable(): Promise<ReadonlyMap<MethodName, Carrier>> {
    const { carriers } = this.#parts
    const { capabilities } = await this.#connection.greet({ signal: this.#signal })
    return capabilities.has(FLOWS) ? carriers : new Map([...carriers].filter(([name]) => name !== 'http'))
  }

  async #pair(pairing: Pairing, transfers: readonly BatchTransfer[]): Promise<void> {
    const item = await this.#parts.catalogue.sending.pair(pairing)
    if (!item) return
    const ids = new Set(item.paired)
    const pairs = pairing.pairs.filter(({ id }) => ids.has(id))
    const names = new Map(transfers.map(({ id, name }) => [id, name]))
    this.sent.push(...pairs.map(({ id, remoteId }) => ({ id, remoteId, name: names.get(id)! })))
    // Who is asked to fetch says by that that they go on.
    if (pairing.method !== pullManager) await this.#goOn(pairs)
    this.#parts.wake.want('consume')
  }

  /** Not heard, it makes no difference: the queue begins them all the same. */
  async #goOn(pairs: Pairs): Promise<void> {
    const { catalogue, log } = this.#parts
    const ids = pairs.map(({ remoteId }) => remoteId)
    try {
      const told = await this.#connection.checkin.update(
        { source_transfer_ids: [], destination_transfer_ids: ids, new_status: transferStatuses.ONGOING },
        { signal: this.#signal },
      )
      const modified = new Set(told.modified_destination_transfer_ids)
      const ongoing = pairs.filter(({ remoteId }) => modified.has(remoteId))
      await catalogue.sending.ongoing({ ids: ongoing.map(({ id }) => id) })
    } catch (error) {
      log.warn({ err: error, peer: this.#hold.destination }, 'The receiver was not told that transfers go on')
    }
  }

  async #fail(transfers: readonly { id: number; remoteId?: number }[], reason: string): Promise<void> {
    if (transfers.length === 0) return
    this.failed += transfers.length
    const ended = transfers.map(({ id, remoteId }) => ({ id, remoteId }))
    await this.#parts.catalogue.sending.fail({ transfers: ended, reason })
  }

  /** What the receiver has answered, or that it has not; anything else is a fault of ours. */
  #told(error: unknown): LibrarianError {
    this.#signal.throwIfAborted()
    if (error instanceof LibrarianError) return error
    throw error
  }

  #alarm(category: 'configuration' | 'data_integrity', message: string): Promise<void> {
    return this.#parts.alarms.raise({ severity: 'error', category, message, caller: 'send_clone' })
  }
}
