/**
 * What lies in the quarantine and has no row: the trail says from which copy it is, since when, and why (reliability B5, G1). With
 * its row it is kept for as long as all others, and then purged under the same conditions.
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { QuarantinedCopy } from '../../catalogue/operations/rebuilding.ts'
import type { SiteStore } from '../../stores/stores.ts'

type Rows = Pick<Catalogue, 'rebuilding' | 'uploads'>

/** Resolves to what no trail tells of, in words. */
export async function findQuarantined({ id: storeId, name, store }: SiteStore, catalogue: Rows): Promise<string[]> {
  const ids: string[] = []
  for await (const { id, place } of store.removed()) if (place === 'quarantine') ids.push(id)
  const known = await catalogue.uploads.know({ names: ids })
  const unknown = new Set(ids.filter((_, at) => known[at] === 'unknown'))
  if (unknown.size === 0) return []
  const copies = new Map<string, QuarantinedCopy>()
  // The breaks of the trail have been told of.
  for await (const { repair, time, name: fileName, sha256 } of store.readTrail({ report: () => undefined })) {
    if (repair && unknown.has(repair.id)) copies.set(repair.id, { ...repair, storeId, fileName, sha256, time })
  }
  await catalogue.rebuilding.quarantined({ copies: [...copies.values()] })
  return [...unknown]
    .filter(id => !copies.has(id))
    .map(
      id => `${name}: the quarantine has ${id}, and no trail tells what it is: look at it, and keep it or move it away`,
    )
}
