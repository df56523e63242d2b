/**
 * What an answer to an announcement offers, in the order in which clients try it (librarian 8): the store's own manager
 * first, since real clients know no other, then ours, which they skip.
 */
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { UploadProvider } from './uploads.ts'

export function offerProviders(
  transfer: IncomingTransfer,
  site: SiteStore,
  providers: readonly UploadProvider[],
): Record<string, object> {
  const { local } = site.transferManagers
  const offered: Record<string, object> = {}
  if (site.store.capabilities.hasStaging && local?.available) offered.local = { hostnames: local.hostnames ?? [] }
  for (const provider of providers) {
    const offer = provider.offer(transfer, site)
    if (offer) offered[provider.name] = offer
  }
  return offered
}
