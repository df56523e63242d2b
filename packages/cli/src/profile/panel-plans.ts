/** Which series are drawn together, and under which name. */
import type { EngineDoor, Sample } from '../engine.ts'
import { printable } from '../text.ts'
import type { SeriesKind } from './series-kinds.ts'

export interface SeriesPlan {
  readonly label: string
  readonly value: (sample: Sample) => number | undefined
}

export interface PanelPlan {
  readonly title: string
  /** As the values have it; a small one may be drawn in a smaller unit. */
  readonly unit: string
  /** The first one is drawn with its area. */
  readonly series: readonly SeriesPlan[]
  /** Top of the axis when nothing is higher. */
  readonly top?: number
  /** Marks where these counts rise. */
  readonly events?: readonly { readonly label: string; readonly field: string; readonly symbol: '×' | '△' }[]
}

/** What the engine knows of metrics. */
export type Metrics = Pick<EngineDoor, 'metricsOf' | 'units'>

/** Panels for what the samples have; a reference profile knows nothing of goodput. */
export function planPanels(samples: readonly Sample[], kind: SeriesKind, door: Metrics): PanelPlan[] {
  const plans =
    kind === 'default'
      ? [...defaults, ...pipelinePlans(samples)]
      : kind === 'retriever'
        ? ofRetriever
        : everything(samples, door)
  return plans
    .map(plan => ({ ...plan, series: plan.series.filter(({ value }) => samples.some(s => value(s) !== undefined)) }))
    .filter(({ series }) => series.length > 0)
}

const defaults: readonly PanelPlan[] = [
  {
    title: 'CPU',
    unit: '% of the machine',
    top: 100,
    series: [
      { label: 'machine', value: field('cpu_avg') },
      { label: 'this program', value: programShare },
      { label: 'its main thread', value: mainThreadShare },
    ],
  },
  {
    title: 'Memory of the program',
    unit: 'MB',
    series: [
      { label: 'resident', value: field('proc_mem') },
      { label: 'parts under way', value: scaled('wip_bytes', 1e-6) },
      { label: 'waiting to be hashed', value: scaled('hash_backlog', 1e-6) },
    ],
  },
  {
    title: 'Network of the machine',
    unit: 'Gbit/s',
    series: [
      { label: 'received', value: field('net_recv') },
      { label: 'sent', value: field('net_sent') },
    ],
  },
  { title: 'Goodput', unit: 'Gbit/s', series: [{ label: 'payload', value: field('goodput') }] },
  {
    title: 'Connections in use',
    unit: '',
    series: [{ label: 'connections', value: field('conns') }],
    events: [
      { label: 'retry', field: 'retries', symbol: '×' },
      { label: 'hedge', field: 'hedges', symbol: '△' },
    ],
  },
]

/** How the items of a pipeline came on, and which stage was at work on how many. */
function pipelinePlans(samples: readonly Sample[]): PanelPlan[] {
  const stages = Object.keys(samples.at(-1) ?? {}).filter(name => name.startsWith(AT_WORK))
  return [
    {
      title: 'Items',
      unit: '',
      series: [
        { label: 'done', value: field('items_done') },
        { label: 'under way', value: field('items_in_flight') },
      ],
    },
    {
      title: 'Items at work',
      unit: '',
      series: stages.map(name => ({ label: printable(name.slice(AT_WORK.length)), value: field(name) })),
    },
  ]
}

/** Begins the fields that tell how many items a stage is at work on; its name follows. */
export const AT_WORK = 'at_work '

/** The three of the reference's plot. */
const ofRetriever: readonly PanelPlan[] = [
  { title: 'Average CPU', unit: '%', top: 100, series: [{ label: 'cpu_avg', value: field('cpu_avg') }] },
  { title: 'Free memory', unit: 'GB', series: [{ label: 'free_mem', value: field('free_mem') }] },
  { title: 'Received', unit: 'Gbit/s', series: [{ label: 'net_recv', value: field('net_recv') }] },
]

function everything(samples: readonly Sample[], { metricsOf, units }: Metrics): PanelPlan[] {
  return metricsOf(samples).map(name => {
    const unit = units[name] ?? ''
    const value = unit === 'bytes' ? scaled(name, 1e-6) : field(name)
    return {
      title: name,
      unit: unit === 'bytes' ? 'MB' : unit === 'count' ? '' : unit,
      series: [{ label: name, value }],
    }
  })
}

function field(name: string): SeriesPlan['value'] {
  return scaled(name, 1)
}

function scaled(name: string, factor: number): SeriesPlan['value'] {
  return sample => {
    const value = sample[name]
    return typeof value === 'number' ? value * factor : undefined
  }
}

/** Figures of one core, on the axis of the machine. */
function programShare({ proc_cpu, per_cpu }: Sample): number | undefined {
  return proc_cpu === undefined ? undefined : proc_cpu / (per_cpu?.length || 1)
}

function mainThreadShare({ loop_busy, per_cpu }: Sample): number | undefined {
  return loop_busy === undefined ? undefined : loop_busy / (per_cpu?.length || 1)
}
