/** Runs that belong together, and what they come to. */
import type { BenchRecord, ConfigurationRecord } from './record.ts'
import { type Spread, spread } from './stats.ts'

/** The runs of one tool in one configuration on one scenario. */
export interface Group {
  readonly scenario: string
  readonly tool: string
  readonly version: string
  readonly configuration: ConfigurationRecord | null
  /** How a table calls it. */
  readonly label: string
  /** Right ones; only these are counted. */
  readonly runs: number
  /** Why others are not: the first problem. */
  readonly problem: string | null
  readonly bytes: number
  readonly wallSeconds: Spread
  readonly gbitPerSecond: Spread
  readonly cpuSeconds: Spread
  /** NaN where nobody could tell. */
  readonly peakResidentBytes: number
  readonly peakConnections: number
  readonly retries: number
}

/** In the order in which they come. */
export function groupRecords(records: readonly BenchRecord[]): Group[] {
  const byKey = Map.groupBy(records, ({ scenario, tool, version, configuration }) =>
    JSON.stringify([scenario, tool, version, configuration?.name]),
  )
  return [...byKey.values()].map(groupOf)
}

function groupOf(records: readonly BenchRecord[]): Group {
  const { scenario, tool, version, configuration, bytes } = records[0]!
  const right = records.filter(({ is_right }) => is_right)
  const spreadOf = (value: (record: BenchRecord) => number) => spread(right.map(value))
  return {
    ...{ scenario, tool, version, configuration, bytes },
    label: configuration?.name ?? tool,
    runs: right.length,
    problem: records.find(({ problem }) => problem !== null)?.problem ?? null,
    wallSeconds: spreadOf(record => record.wall_seconds),
    gbitPerSecond: spreadOf(record => record.effective_gbit_per_second),
    cpuSeconds: spreadOf(record => record.user_cpu_seconds + record.system_cpu_seconds),
    peakResidentBytes: most(right.map(record => record.peak_resident_bytes)),
    peakConnections: most(right.map(record => record.peak_connections)),
    retries: most(right.map(record => record.retries)),
  }
}

function most(values: readonly (number | null)[]): number {
  const known = values.filter(value => value !== null)
  return known.length > 0 ? Math.max(...known) : Number.NaN
}

/** Whether it can be compared: measured at least once, and never wrong. */
export const isSound = ({ runs, problem }: Group) => runs > 0 && problem === null

export const isOurs = ({ tool }: Group) => tool === 'arriero'

/** By scenario, in the order in which they come. */
export function byScenario(groups: readonly Group[]): [scenario: string, groups: Group[]][] {
  return [...Map.groupBy(groups, ({ scenario }) => scenario)]
}
