/** Stores as the settings name them. The documented spelling of one key never was the one that worked: both do here. */
import { resolve } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { issuesOf } from './issues.ts'
import { storeSchema } from './schema.ts'
import type { StoreSettings } from './settings.ts'

const alias = 'asynchronous_transfer_manager_data'

/** @param home what paths are relative to; undefined: they must be absolute */
export function storeSettings(
  entries: readonly unknown[],
  home?: string,
): { stores: StoreSettings[]; warnings: string[] } {
  const warnings: string[] = []
  const stores = entries.map((entry, at) => parseStore(entry, { where: `add_stores[${at}]`, warnings, home }))
  const names = stores.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) {
    throw new LibrarianError('Configuration', `Cannot use add_stores: the name ${twice} must be there only once`)
  }
  return { stores, warnings }
}

interface Reading {
  readonly where: string
  readonly warnings: string[]
  readonly home: string | undefined
}

function parseStore(entry: unknown, { where, warnings, home }: Reading): StoreSettings {
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
    data: { ...withPlaces(store.store_data, home), name: store.store_name },
    transferManagers: store.transfer_manager_data,
    asyncTransferManagers: store.async_transfer_manager_data ?? undefined,
  }
}

const places = ['store_path', 'staging_path', 'scratch_path', 'secret_access_key_file']

/** The catalogue keeps them absolute: whoever moves the directory says so with --migrate-stores. */
function withPlaces(data: Readonly<Record<string, unknown>>, home: string | undefined): Record<string, unknown> {
  if (home === undefined) return { ...data }
  const absolute = ([key, value]: [string, unknown]): [string, unknown] =>
    places.includes(key) && typeof value === 'string' && value !== '' ? [key, resolve(home, value)] : [key, value]
  return Object.fromEntries(Object.entries(data).map(absolute))
}
