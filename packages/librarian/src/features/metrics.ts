/** What Prometheus reads of this librarian, and what the other features count for it. */
import { createMetrics, type Metrics } from '../metrics/create-metrics.ts'
import { createFigures, type FiguresOptions } from '../services/figures/figures.ts'
import type { PacedLookOptions } from '../services/figures/paced-look.ts'
import type { Meters } from '../services/meters.ts'
import { version } from '../version.ts'
import type { Ground } from './feature.ts'

export interface MetricsFeatureOptions extends Pick<Ground, 'settings' | 'catalogue' | 'stores' | 'clock'> {
  readonly waiting: FiguresOptions['waiting']
  readonly pace?: Omit<PacedLookOptions, 'clock'> | undefined
}

export interface MetricsFeature {
  readonly metrics: Metrics
  readonly meters: Meters
  close(): Promise<void>
}

export function createMetricsFeature(options: MetricsFeatureOptions): MetricsFeature {
  const { catalogue, settings } = options
  const build = { version, node: process.versions.node, database: catalogue.engine, role: settings.role }
  const metrics = createMetrics({ figures: createFigures(options), stores: options.stores, build })
  return { metrics, meters: metrics.meters, close: async () => metrics[Symbol.dispose]() }
}
