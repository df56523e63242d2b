/** What a commit took its bytes from: no longer needed once they have their name, or were refused for good. */
import type { Store } from '../../stores/store.ts'
import type { CommitOrigin } from './commits.ts'

export async function removeOrigin(store: Store, origin: CommitOrigin): Promise<void> {
  if (origin.from === 'staging') await store.removeStaging(origin.id)
  if (origin.from !== 'spool' && origin.from !== 'memory') return
  if (origin.from === 'spool') await store.removeSpool(origin.id)
  if (origin.stagingId !== undefined && store.capabilities.hasStaging) await store.removeStaging(origin.stagingId)
}
