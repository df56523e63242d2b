import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { Stores } from '../../stores/stores.ts'

/** Numbers of those that are there now: what is meant for a disk that is not, is not tried one by one. */
export async function storesThere(
  transfers: readonly Pick<IncomingTransfer, 'store_id'>[],
  stores: Pick<Stores, 'byId'>,
): Promise<ReadonlySet<number | null>> {
  const ids = [...new Set(transfers.map(({ store_id }) => store_id))]
  const states = await Promise.all(ids.map(async id => (id === null ? undefined : stores.byId(id)?.store.state())))
  return new Set(ids.filter((_, index) => states[index]?.available))
}
