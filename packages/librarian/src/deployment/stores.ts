/** Whether the places of the stores are there, are ours, and can be written. */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Settings } from '../config.ts'
import { examineBucket } from './bucket.ts'
import type { Findings } from './finding.ts'
import { examineLocalStore } from './local-store.ts'

/** As the catalogue knows it, or else as the settings name it. */
export interface LookedStore {
  readonly name: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  /** Of the marker; undefined: it was never opened, or the catalogue cannot be asked. */
  readonly uuid?: string | undefined
}

export async function* examineStores(
  { addStores }: Pick<Settings, 'addStores'>,
  catalogue: Pick<Catalogue, 'stores' | 'settings'> | undefined,
): Findings {
  const known: readonly LookedStore[] = (await catalogue?.stores.list()) ?? []
  const owner = await catalogue?.settings.get({ key: 'uuid' })
  const named = addStores.filter(({ name }) => !known.some(each => each.name === name))
  const all = [...known, ...named]
  if (all.length === 0) {
    yield { check: 'store', level: 'warn', found: 'there is none', next: 'Name one under add_stores in the settings.' }
  }
  for (const store of all) {
    if (store.type === 'local') yield* examineLocalStore(store, owner)
    else yield await examineBucket(store)
  }
}
