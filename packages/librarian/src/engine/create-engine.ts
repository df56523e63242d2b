import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { CatalogueSettings } from '../config.ts'
import type { Log } from '../log.ts'
import type { Poison, TaskEngine } from './engine.ts'

export interface EngineOptions {
  readonly settings: CatalogueSettings
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly log: Log
  readonly onPoison: (poison: Poison) => void
}

/** The one that fits the catalogue (design 7). */
export async function createTaskEngine({ settings, ...options }: EngineOptions): Promise<TaskEngine> {
  if (options.catalogue.engine === 'postgres' && settings.engine === 'postgres') {
    // Here and not at the top: it comes with a driver that a catalogue in a file does not need.
    const { PgBossEngine } = await import('./pg-boss.ts')
    return new PgBossEngine({ ...options, url: settings.url.reveal() })
  }
  const { EmbeddedEngine } = await import('./embedded.ts')
  return new EmbeddedEngine(options)
}
