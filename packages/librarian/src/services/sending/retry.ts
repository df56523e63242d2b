/** A person wants a transfer to be tried again: what waits goes at once, what has failed begins anew. */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { PagedTransfer } from '../../catalogue/operations/transfer-pages.ts'
import type { Act } from '../act.ts'
import type { SendBatch } from './send-batch.ts'
import type { Wake } from './wake.ts'

export interface RetryParts {
  readonly catalogue: Pick<Catalogue, 'transferPages' | 'peers' | 'audit'>
  readonly sendBatch: SendBatch
  readonly wake: Pick<Wake, 'want'>
}

/**
 * Resolves to the number of the transfer that is under way. It sends nothing twice: who has the file, or is being sent it, gets no
 * second one.
 *
 * @throws LibrarianError `NotFound`, `Conflict`, `PeerUnreachable`
 */
export type Retry = (id: number, options: RetryOptions) => Promise<number>

export interface RetryOptions {
  readonly signal: AbortSignal
  readonly act?: Act | undefined
}

export function createRetry({ catalogue, sendBatch, wake }: RetryParts): Retry {
  async function hurry({ id, batchId }: PagedTransfer, act: Act | undefined): Promise<number> {
    if (batchId === null || !(await catalogue.transferPages.hurry({ batchId, act: act?.entry() }))) {
      throw new LibrarianError('Conflict', `Cannot try transfer ${id} again: it is under way`)
    }
    wake.want('consume')
    wake.want('check')
    return id
  }

  async function anew({ id, fileName, other }: PagedTransfer, { signal, act }: RetryOptions): Promise<number> {
    const refuse = (why: string) => new LibrarianError('Conflict', `Cannot try transfer ${id} again: ${why}`)
    if (fileName === null) throw refuse('what it should send is not known')
    const peer = await catalogue.peers.find({ name: other })
    if (!peer) throw refuse(`there is no librarian ${other} any more`)
    if (!peer.transfersEnabled) throw refuse(`sending to ${other} is switched off`)
    // Written down before the other librarian hears of it: what comes of it is in the transfer's own row.
    act?.handOn()
    if (act) await catalogue.audit.append(act.entryWith({ outcome: 'begun' }))
    const outcome = await sendBatch({ destination: other, names: [fileName] }, { signal })
    if (outcome === 'busy') throw refuse(`other files are being announced to ${other} just now`)
    const [sent] = outcome.sent
    if (sent) return sent.id
    if (outcome.without.length > 0) throw refuse('no good copy is here')
    throw refuse(outcome.stop ?? (outcome.failed > 0 ? `${other} does not take it` : `${other} has it, or is sent it`))
  }

  return async (id, { signal, act }) => {
    const found = await catalogue.transferPages.find({ direction: 'out', id })
    if (!found) throw new LibrarianError('NotFound', `There is no transfer ${id} to another librarian`)
    const { transfer } = found
    if (transfer.ended === null) return await hurry(transfer, act)
    if (transfer.status !== 'FAILED') {
      throw new LibrarianError('Conflict', `Cannot try transfer ${id} again: it is ${transfer.status}`)
    }
    return await anew(transfer, { signal, act })
  }
}

/** Whether somebody may ask for it; whether it then can be done shows. */
export function mayRetry({ ended, status, nextTry, fileName }: PagedTransfer): boolean {
  return ended === null ? nextTry !== null : status === 'FAILED' && fileName !== null
}
