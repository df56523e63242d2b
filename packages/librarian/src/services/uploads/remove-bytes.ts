import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { Log } from '../../log.ts'
import type { Stores } from '../../stores/stores.ts'

export interface RemoveBytesOptions {
  readonly stores: Pick<Stores, 'byId'>
  readonly log: Log
}

/** Of a transfer that has ended. What cannot be removed now, the sweep removes. Never throws. */
export async function removeBytes(transfer: IncomingTransfer, { stores, log }: RemoveBytesOptions): Promise<void> {
  const site = transfer.store_id === null ? undefined : stores.byId(transfer.store_id)
  if (!site) return
  try {
    if (site.store.capabilities.hasStaging && transfer.staging_path !== null)
      await site.store.removeStaging(transfer.staging_path)
    await site.store.removeSpool(transfer.token)
  } catch (error) {
    log.warn({ transfer: transfer.id, error }, 'the bytes of an ended transfer are left for the sweep')
  }
}
