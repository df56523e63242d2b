/**
 * A clone that its sender was asked for again (librarian 11.9): instead of becoming a file, which it is already, it takes the place
 * of the bad copy, whose bytes go to the quarantine when the good ones are here (reliability B5). May be repeated: a transfer
 * whose bytes took their place before a crash is completed by the next try, which finds the copy good.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { Log } from '../../log.ts'
import type { Stores } from '../../stores/stores.ts'
import type { CommitOrigin, Committed } from '../commit/commits.ts'
import { judgeFailure } from '../commit/failures.ts'
import type { RepairedCopy, RepairService } from '../repair/repair.ts'
import { removeBytes } from '../uploads/remove-bytes.ts'

export interface KeepReplacementOptions {
  readonly catalogue: Pick<Catalogue, 'receiving'>
  readonly stores: Pick<Stores, 'byId'>
  readonly takeReplacement: RepairService['takeReplacement']
  readonly log: Log
}

export interface ArrivedReplacement {
  readonly origin: CommitOrigin
  /** How the bytes came. */
  readonly manager: string | undefined
  /** Keeps writers from them meanwhile. */
  readonly hold: (() => Promise<AsyncDisposable>) | undefined
}

/** @throws LibrarianError as `Commits.commit`: where the same bytes may do later, the transfer stays as it is */
export async function keepReplacement(
  transfer: IncomingTransfer,
  { origin, manager, hold }: ArrivedReplacement,
  options: KeepReplacementOptions,
): Promise<Committed> {
  const { id } = transfer
  await using _ = await hold?.()
  const { outcome } = await take(transfer, origin, options)
  await options.catalogue.receiving.completeReplacement({ id, manager: manager ?? null })
  await removeBytes(transfer, options)
  return { outcome: outcome === 'repaired' ? 'committed' : 'same' }
}

async function take(
  transfer: IncomingTransfer,
  origin: CommitOrigin,
  options: KeepReplacementOptions,
): Promise<RepairedCopy> {
  const { id, store_path: fileName, source: librarian } = transfer
  try {
    if (origin.from === 'place') throw new LibrarianError('Internal', `Transfer ${id} has its bytes in place already`)
    return await options.takeReplacement({ fileName, librarian, transferId: id, storeId: transfer.store_id!, origin })
  } catch (thrown) {
    const { error, keepsTransfer } = judgeFailure(thrown, origin.from)
    if (keepsTransfer) throw error
    const ended = await options.catalogue.receiving.fail({ failures: [{ id, reason: error.message }] })
    await Promise.all(ended.map(one => removeBytes(one, options)))
    throw error
  }
}
