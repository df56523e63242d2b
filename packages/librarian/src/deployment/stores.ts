/** Whether the places of the stores are there, are ours, and can be written. */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Settings } from '../config.ts'
import { openStore } from '../stores/open-store.ts'
import type { DeploymentFinding, Findings } from './finding.ts'
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
    else yield await examineOther(store)
  }
}

/** By its own look at itself. */
async function examineOther(store: LookedStore): Promise<DeploymentFinding> {
  const check = 'store'
  try {
    await using open = await openStore(store, { mayClaim: false })
    const state = await open.state()
    if (state.available) return { check, level: 'ok', found: `${store.name} is there` }
    if (store.uuid === undefined && !state.otherKeeper) {
      const found = `${store.name}: ${state.reason}; if it is new, the first start makes it`
      return { check, level: 'warn', found, next: state.remedy ?? 'Check its endpoint, bucket and credentials.' }
    }
    const next = state.remedy ?? 'Check its endpoint, bucket and credentials.'
    return { check, level: 'fail', found: `${store.name}: ${state.reason}`, next }
  } catch (error) {
    const next = (error as { remedy?: string }).remedy ?? 'Correct its store_data in the settings.'
    return { check, level: 'fail', found: `${store.name}: ${(error as Error).message}`, next }
  }
}
