/** Stores as the settings name them. The documented spelling of one key never was the one that worked: both do here. */
import { LibrarianError } from '@arriero/api'
import { issuesOf } from './issues.ts'
import { storeSchema } from './schema.ts'
import type { StoreSettings } from './settings.ts'

const alias = 'asynchronous_transfer_manager_data'

export function storeSettings(entries: readonly unknown[]): { stores: StoreSettings[]; warnings: string[] } {
  const warnings: string[] = []
  const stores = entries.map((entry, at) => parseStore(entry, `add_stores[${at}]`, warnings))
  const names = stores.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) {
    throw new LibrarianError('Configuration', `Cannot use add_stores: the name ${twice} must be there only once`)
  }
  return { stores, warnings }
}

function parseStore(entry: unknown, where: string, warnings: string[]): StoreSettings {
  const given = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : {}
  const { [alias]: aliased, ...raw } = given
  if (aliased !== undefined && raw.async_transfer_manager_data === undefined) raw.async_transfer_manager_data = aliased
  const unknown = Object.keys(raw).filter(key => !(key in storeSchema.shape))
  if (unknown.length > 0) warnings.push(`${where}: ${unknown.join(', ')} means nothing and is left out`)
  const parsed = storeSchema.safeParse(raw)
  if (!parsed.success) throw new LibrarianError('Configuration', `Cannot use ${where}: ${issuesOf(parsed.error)}`)
  const store = parsed.data
  return {
    name: store.store_name,
    ingestable: store.ingestable,
    type: store.store_type,
    data: { ...store.store_data, name: store.store_name },
    transferManagers: store.transfer_manager_data,
    asyncTransferManagers: store.async_transfer_manager_data ?? undefined,
  }
}
