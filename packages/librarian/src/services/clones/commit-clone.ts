/** A clone whose bytes are here becomes a file; its sender is told of its end by the same transaction that ends it. */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { DeletionPolicy } from '../../catalogue/schema.ts'
import type { Log } from '../../log.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import type { CommitOrigin, Commits, Committed } from '../commit/commits.ts'
import type { RepairService } from '../repair/repair.ts'
import { askToLook } from './ask-to-look.ts'
import { keepReplacement } from './keep-replacement.ts'

export interface CommitCloneOptions {
  readonly catalogue: Pick<Catalogue, 'intents' | 'receiving'>
  readonly stores: Pick<Stores, 'byId'>
  readonly commits: Pick<Commits, 'commit'>
  /** Finishes a commit that was interrupted; false where somebody works on it. */
  recoverTransfer(transferId: number): Promise<boolean>
  readonly takeReplacement: RepairService['takeReplacement']
  readonly log: Log
}

export interface CommitClone {
  readonly origin: CommitOrigin
  readonly deletionPolicy: DeletionPolicy
  /** How the bytes came; default: as the row says. */
  readonly manager?: string | undefined
  /** Of the file at its origin; default: now. */
  readonly createTime?: string | undefined
  /** Keeps writers from what is committed while it is. */
  readonly hold?: (() => Promise<AsyncDisposable>) | undefined
}

/** @throws LibrarianError as `Commits.commit` */
export async function commitClone(
  transfer: IncomingTransfer,
  clone: CommitClone,
  options: CommitCloneOptions,
): Promise<Committed> {
  try {
    return await commitOnce(transfer, clone, options)
  } catch (error) {
    if (error instanceof LibrarianError && error.code === 'Mismatch') await askToLook(transfer, options)
    throw error
  }
}

async function commitOnce(
  transfer: IncomingTransfer,
  { origin, deletionPolicy, manager = transfer.transfer_manager_name ?? undefined, ...more }: CommitClone,
  options: CommitCloneOptions,
): Promise<Committed> {
  if (transfer.replaces_instance_id !== null) {
    return await keepReplacement(transfer, { origin, manager, hold: more.hold }, options)
  }
  const request = {
    name: transfer.store_path,
    store: storeOf(transfer, options),
    origin,
    size: transfer.transfer_size,
    checksum: transfer.transfer_checksum,
    transferId: transfer.id,
    manager,
    deletionPolicy,
    uploader: transfer.uploader,
    source: transfer.source,
    firstUploader: transfer.first_uploader ?? undefined,
    ...more,
  }
  try {
    return await options.commits.commit(request)
  } catch (error) {
    if (!(error instanceof LibrarianError) || error.code !== 'NameTaken') throw error
    // It may be this very transfer, from before a crash.
    if (!(await options.catalogue.intents.ofTransfer({ transferId: transfer.id }))) throw error
    if (!(await options.recoverTransfer(transfer.id))) throw error
    return await options.commits.commit(request)
  }
}

/** @throws LibrarianError StoreUnavailable */
export function storeOf(
  { id, store_id }: Pick<IncomingTransfer, 'id' | 'store_id'>,
  { stores }: Pick<CommitCloneOptions, 'stores'>,
): SiteStore {
  const site = store_id === null ? undefined : stores.byId(store_id)
  if (site) return site
  throw new LibrarianError('StoreUnavailable', `Cannot reach the store of transfer ${id}: it is not in the settings`)
}
