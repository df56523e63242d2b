/** What is done to a catalogue and its stores while no server runs on them: comparing, and making the catalogue again. */

import type { Catalogue } from './catalogue/catalogue.ts'
import { openCatalogue } from './catalogue/open.ts'
import { systemClock } from './clock.ts'
import type { Settings } from './config.ts'
import type { Log } from './log.ts'
import { type RebuildOptions, type RebuildReport, rebuild } from './services/recovery/rebuild.ts'
import { type Finding, reconcile } from './services/recovery/reconcile.ts'
import { openStore } from './stores/open-store.ts'
import { openStores } from './stores/open-stores.ts'
import type { Stores } from './stores/stores.ts'

export interface InspectOptions {
  readonly settings: Settings
  readonly log: Log
  readonly signal?: AbortSignal | undefined
}

/** Every difference between the catalogue and the stores; changes no file and no row. */
export async function* inspectStores(options: InspectOptions): AsyncIterable<Finding> {
  await using ground = await openGround(options)
  for (const site of ground.stores.all) yield* await reconcile(site, ground.catalogue, options.signal)
}

/** Fills an empty catalogue from what the stores of the settings know. @throws as `rebuild` */
export async function rebuildCatalogue(
  options: InspectOptions & Pick<RebuildOptions, 'directories'>,
): Promise<RebuildReport> {
  await using ground = await openGround(options)
  const { directories, signal } = options
  return await rebuild({ ...ground, clock: systemClock, directories, signal })
}

interface InspectedGround extends AsyncDisposable {
  readonly catalogue: Catalogue
  readonly stores: Stores
}

async function openGround({ settings, log }: InspectOptions): Promise<InspectedGround> {
  const { catalogue: where } = settings
  const url = where.engine === 'sqlite' ? where.path : where.url.reveal()
  const catalogue = await openCatalogue({ url, log })
  try {
    const stores = await openStores({
      settings,
      catalogue,
      openStore: (row, { createMarker }) => openStore(row, { log, createMarker }),
      log,
    })
    const dispose = async () => {
      await stores[Symbol.asyncDispose]()
      await catalogue.close()
    }
    return { catalogue, stores, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await catalogue.close()
    throw error
  }
}
