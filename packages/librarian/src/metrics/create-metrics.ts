/**
 * What Prometheus reads. Counters are of this process; gauges of files, transfers, stores and tasks are of the whole
 * librarian, and every process that answers calls tells the same.
 */
import { Registry } from '@prometheus-io/client'
import type { Figures } from '../services/figures/figures.ts'
import type { Meters } from '../services/meters.ts'
import type { Stores } from '../stores/stores.ts'
import { createFigureGauges } from './figure-gauges.ts'
import { createProcessGauges } from './process-gauges.ts'
import { createWorkMeters } from './work-meters.ts'

export interface Metrics extends Disposable {
  readonly meters: Meters
  readonly contentType: string
  /** The text of a scrape. */
  expose(): Promise<string>
}

export interface MetricsOptions {
  readonly figures: () => Promise<Figures>
  readonly stores: Pick<Stores, 'byId'>
  /** Labels of `arriero_build_info`. */
  readonly build: Readonly<Record<string, string>>
}

export function createMetrics({ figures, stores, build }: MetricsOptions): Metrics {
  const registry = new Registry()
  const meters = createWorkMeters(registry)
  const own = createProcessGauges(registry, build)
  const tell = createFigureGauges({ registry, stores })
  return {
    meters,
    contentType: registry.contentType,
    async expose() {
      const [seen] = await Promise.all([figures(), own.update()])
      tell(seen)
      return await registry.metrics()
    },
    [Symbol.dispose]: () => own[Symbol.dispose](),
  }
}
