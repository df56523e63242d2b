/** Where deleted copies are (reliability B2, 8.12), looked at from outside, and what must hold of them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Content, contentAt, type Seen, sha256Of } from '../../../packages/librarian/test/check-invariants.ts'
import type { Whereabouts } from './ledger.ts'
import { readDisk, type StoreRoots } from './look.ts'
import type { Place } from './place.ts'

export interface SeenTrash {
  readonly rows: readonly TrashRow[]
  /** What lies in the trash of each store, by its id there. */
  readonly contents: ReadonlyMap<string, ReadonlyMap<string, Content>>
}

interface TrashRow {
  readonly id: string
  readonly state: string
  readonly file_name: string
  readonly store: string
}

export async function lookAtTrash(place: Place): Promise<SeenTrash> {
  const rows = await place.query<TrashRow>(
    'SELECT trash.id, trash.state, file_name, store.name AS store FROM trash JOIN store ON store.id = store_id',
  )
  const contents = new Map(place.stores.map(({ name, root }) => [name, contentsOf(join(root, '.arriero', 'trash'))]))
  return { rows, contents }
}

/** Bytes that a repair has replaced are kept (reliability B5). @param repaired by name, what was there */
export function missingFromQuarantine(stores: readonly StoreRoots[], repaired: ReadonlyMap<string, Content>): string[] {
  if (repaired.size === 0) return []
  const contents = stores.flatMap(({ root }) => [...contentsOf(join(root, '.arriero', 'quarantine')).values()])
  const kept = new Set(contents.map(sha256Of))
  return [...repaired].flatMap(([name, bad]) =>
    kept.has(sha256Of(bad)) ? [] : [`B5: ${name} was repaired, and what lay there is not in the quarantine`],
  )
}

function contentsOf(directory: string): Map<string, Content> {
  if (!existsSync(directory)) return new Map()
  const disk = readDisk(directory)
  const ids = new Set([...disk.keys()].map(path => path.split('/')[0]!))
  return new Map([...ids].map(id => [id, contentAt(disk, id)!]))
}

/**
 * Every copy that was ever there is in its place, or in the trash with a row that says so, or purged by one; never both, never
 * neither. What was told is so. No deletion is half.
 */
export function checkTrash({ rows, contents }: SeenTrash, seen: Seen, whereabouts: Whereabouts): string[] {
  const broken: string[] = []
  const underWay = rows.filter(({ state }) => /ing$/.test(state))
  for (const { id, state, file_name } of underWay) broken.push(`A6: trash ${id} of ${file_name} is still ${state}`)
  for (const { id, state, file_name, store } of rows) {
    const content = contents.get(store)?.get(id)
    const file = seen.files.find(({ name }) => name === file_name)
    if (state !== 'trashed') continue
    if (!content) broken.push(`B2: the trash has a row of ${file_name}, and no bytes`)
    else if (sha256Of(content) !== file?.sha256)
      broken.push(`B2: ${file_name} has other bytes in the trash than its row says`)
    if (hasCopy(seen, file_name, store))
      broken.push(`B2: ${file_name} is in the trash of ${store}, and has a copy there`)
  }
  for (const [store, each] of contents) {
    for (const id of each.keys()) {
      if (!rows.some(row => row.id === id && row.state === 'trashed'))
        broken.push(`A6: ${id} lies in the trash of ${store}, and has no row that says so`)
    }
  }
  for (const { name } of seen.files) {
    for (const { name: store } of seen.stores) {
      const isThere = hasCopy(seen, name, store)
      const ended = rows.some(
        row => row.file_name === name && row.store === store && /^(trashed|purged)$/.test(row.state),
      )
      if (!isThere && !ended) broken.push(`B1: the copy of ${name} on ${store} is neither there nor in the trash`)
    }
  }
  broken.push(...seen.stores.flatMap(({ name: store, trail }) => contradictions(store, trail, seen)))
  for (const [name, where] of whereabouts) {
    if (hasCopy(seen, name, 'files') !== (where === 'in place'))
      broken.push(`A2: it was told that ${name} is ${where}, and it is not`)
  }
  return broken
}

/** What a rebuild would believe: of each name the line with the greatest number, but for what left the trash (reliability G1). */
function contradictions(store: string, trail: Seen['stores'][number]['trail'], seen: Seen): string[] {
  const last = new Map<string, { readonly action: string; readonly order: number }>()
  for (const record of trail) {
    const { name, action, order } = record as typeof record & { readonly order: number }
    if (action !== 'purge' && order >= (last.get(name)?.order ?? 0)) last.set(name, { action, order })
  }
  return [...last].flatMap(([name, { action }]) => {
    const isThere = hasCopy(seen, name, store)
    if (isThere === (action !== 'trash')) return []
    return [`G1: the trail of ${store} ends with a ${action} of ${name}, and there is ${isThere ? 'a' : 'no'} copy`]
  })
}

function hasCopy({ instances }: Seen, name: string, store: string): boolean {
  return instances.some(copy => copy.file_name === name && copy.store === store && copy.available === 1)
}
