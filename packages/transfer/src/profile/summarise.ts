import { baseMetrics, type Sample, units } from './fields.ts'
import { median, percentile } from './percentile.ts'
import { type Phase, phasesOf } from './phases.ts'
import { parseTime } from './read-profile.ts'

/** One figure of a profile: mean, extremes, percentiles. */
export interface MetricSummary {
  readonly name: string
  /** Undefined for what a caller counts. */
  readonly unit: string | undefined
  /** Undefined when no sample knows it. */
  readonly values: MetricValues | undefined
}

/** The numbers of one figure. */
export interface MetricValues {
  readonly avg: number
  readonly max: number
  readonly min: number
  readonly median: number
  readonly first: number
  /** Nearest rank. */
  readonly p5: number
  readonly p95: number
}

/** All figures of a profile, and its phases. */
export interface ProfileSummary {
  /** From the first sample to the last one. */
  readonly durationMs: number
  readonly samples: number
  readonly metrics: readonly MetricSummary[]
  readonly phases: readonly Phase[]
}

/** The reference's summary of every metric (retrieval 2.6), and percentiles; its own metrics first, in its order. */
export function summarise(samples: readonly Sample[]): ProfileSummary {
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last) throw new RangeError('Cannot summarise a profile without samples')
  return {
    durationMs: parseTime(last.timestamp) - parseTime(first.timestamp),
    samples: samples.length,
    metrics: metricsOf(samples).map(name => ({ name, unit: units[name], values: valuesOf(samples, name) })),
    phases: phasesOf(samples),
  }
}

/** Names of everything that is a number in some sample. */
export function metricsOf(samples: readonly Sample[]): string[] {
  const names = new Set<string>(baseMetrics)
  for (const sample of samples) {
    for (const [name, value] of Object.entries(sample)) if (typeof value === 'number') names.add(name)
  }
  return [...names]
}

function valuesOf(samples: readonly Sample[], name: string): MetricValues | undefined {
  const values = samples.map(sample => sample[name]).filter(value => typeof value === 'number')
  const first = values[0]
  if (first === undefined) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  return {
    avg: values.reduce((sum, value) => sum + value, 0) / values.length,
    max: sorted.at(-1) as number,
    min: sorted[0] as number,
    median: median(sorted),
    first,
    p5: percentile(sorted, 5),
    p95: percentile(sorted, 95),
  }
}
