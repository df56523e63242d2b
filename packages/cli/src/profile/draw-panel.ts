import { type Chart, drawChart, loadPlot } from '../plot/chart.ts'
import { inkOf } from '../plot/ink.ts'
import type { Panel } from '../plot/sheet.ts'
import { formatFigure, readableUnit } from './figures.ts'
import type { PanelPlan } from './panel-plans.ts'
import { type Spread, type Stretch, spreadOf } from './stretches.ts'
import type { TimeAxis } from './time-axis.ts'

export const margins = { left: 50, right: 22, top: 6, bottom: 6 }
/** px, without the labels of the axis. */
export const panelHeight = 92
const labelsHeight = 30
const areaFill = '#dbe5ec'
const gridStroke = '#dddddd'

/** A panel with its values, for those who show them. */
export interface DrawnPanel {
  readonly panel: Panel
  /** For each series, a text for each stretch. */
  readonly series: readonly { readonly label: string; readonly texts: readonly string[] }[]
}

interface PanelOptions {
  readonly time: TimeAxis
  readonly stretches: readonly Stretch[]
  /** px */
  readonly width: number
  /** s: where phases begin. */
  readonly phaseStarts: readonly number[]
  /** Whether the axis has its labels: the lowest one has. */
  readonly isLast: boolean
}

export async function drawPanel(plan: PanelPlan, options: PanelOptions): Promise<DrawnPanel> {
  const { stretches } = options
  const spreads = plan.series.map(({ value }) => stretches.map(stretch => spreadOf(stretch, value)))
  const highest = spreads.flat().reduce((most, spread) => Math.max(most, spread?.high ?? 0), plan.top ?? 0)
  const { unit, factor } = readableUnit(plan.unit, highest)
  const lines = spreads.map(line => line.map(spread => spread && times(spread, factor)))
  const events = eventsOf(plan, stretches)
  const chart = await chartOf(lines, events, highest * factor, options)
  const isNamed = plan.series.length > 1
  return {
    panel: {
      title: plan.title,
      note: noteOf(plan, unit, lines[0] ?? [], events),
      legend: isNamed ? plan.series.map(({ label }, n) => ({ label, ...inkOf(n) })) : [],
      chart,
    },
    series: plan.series.map(({ label }, n) => ({
      label: isNamed ? `${plan.title}: ${label}` : plan.title,
      texts: lines[n]!.map(spread => textOf(spread, unit)),
    })),
  }
}

/** `Gbit/s; received: average 0.83, highest 1.1; × retry` */
function noteOf({ series }: PanelPlan, unit: string, line: Line, events: readonly Event[]): string {
  const known = line.filter(spread => spread !== undefined)
  const average = known.reduce((sum, { mean }) => sum + mean, 0) / known.length
  const highest = known.reduce((most, { high }) => Math.max(most, high), Number.NEGATIVE_INFINITY)
  const whose = series.length > 1 ? `${series[0]!.label}: ` : ''
  return [
    ...(unit === '' ? [] : [unit]),
    `${whose}average ${formatFigure(average)}, highest ${formatFigure(highest)}`,
    ...new Set(events.map(({ label, symbol }) => `${symbol} ${label}`)),
  ].join('; ')
}

/** What is known of each stretch. */
type Line = readonly (Spread | undefined)[]

async function chartOf(
  lines: readonly Line[],
  events: readonly Event[],
  highest: number,
  { time, stretches, width, phaseStarts, isLast }: PanelOptions,
): Promise<Chart> {
  const { areaY, axisX, axisY, gridX, gridY, lineY, ruleX, ruleY, text } = await loadPlot()
  const isJoined = stretches.some(({ samples }) => samples.length > 1)
  const steps = lines.map(line => stepsOf(line, stretches))
  const top = highest > 0 ? highest : 1
  const curve = 'step-before'
  return drawChart({
    width,
    height: panelHeight + (isLast ? labelsHeight : 0),
    marginLeft: margins.left,
    marginRight: margins.right,
    marginTop: margins.top,
    marginBottom: margins.bottom + (isLast ? labelsHeight : 0),
    x: { domain: [0, time.duration], axis: null },
    y: { domain: [0, top], nice: 4, axis: null },
    marks: [
      areaY(steps[0] ?? [], { x: 'x', y1: 0, y2: 'mean', fill: areaFill, curve }),
      gridX(time.ticks, { stroke: gridStroke, strokeOpacity: 1 }),
      gridY({ ticks: 4, stroke: gridStroke, strokeOpacity: 1 }),
      ruleX(phaseStarts, { stroke: '#777777', strokeDasharray: '2 3' }),
      ...(isJoined
        ? steps.map((line, n) =>
            areaY(line, { x: 'x', y1: 'low', y2: 'high', fill: inkOf(n).stroke, fillOpacity: 0.22, curve }),
          )
        : []),
      // The first one, which matters most, lies on top.
      ...steps
        .map((line, n) => lineY(line, { x: 'x', y: 'mean', ...inkOf(n), curve, strokeLinejoin: 'round' }))
        .toReversed(),
      ruleY([0], { stroke: '#000000' }),
      text(events, {
        x: 'x',
        y: () => 0,
        dy: -5,
        text: 'symbol',
        fontWeight: 'bold',
        fill: '#b00020',
        stroke: '#ffffff',
      }),
      axisY({ ticks: 4, label: null, tickSize: 3, tickFormat: formatFigure }),
      ...(isLast ? [axisX(time.ticks, { label: null, tickSize: 4, tickFormat: time.format, anchor: 'bottom' })] : []),
    ],
  })
}

interface Step {
  readonly x: number
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** Each value holds from the end of the stretch before to the end of its own. What is not known breaks the line. */
function stepsOf(line: Line, stretches: readonly Stretch[]): Step[] {
  const unknown = { mean: Number.NaN, low: Number.NaN, high: Number.NaN }
  return stretches.flatMap(({ from, to }, index) => {
    const spread = line[index] ?? unknown
    const isBegin = index === 0 || line[index - 1] === undefined
    return isBegin
      ? [
          { x: from, ...spread },
          { x: to, ...spread },
        ]
      : [{ x: to, ...spread }]
  })
}

interface Event {
  readonly x: number
  readonly label: string
  readonly symbol: string
}

/** Where a count is higher than in the stretch before. */
function eventsOf({ events = [] }: PanelPlan, stretches: readonly Stretch[]): Event[] {
  return events.flatMap(({ label, field, symbol }) => {
    let before = 0
    return stretches.flatMap(({ to, samples }) => {
      const count = samples.at(-1)![field]
      if (typeof count !== 'number' || count <= before) return []
      before = count
      return [{ x: to, label, symbol }]
    })
  })
}

function times({ mean, low, high }: Spread, factor: number): Spread {
  return { mean: mean * factor, low: low * factor, high: high * factor }
}

function textOf(spread: Spread | undefined, unit: string): string {
  if (!spread) return 'unknown'
  const { mean, low, high } = spread
  const range = low === high ? '' : ` (${formatFigure(low)} to ${formatFigure(high)})`
  return `${formatFigure(mean)}${unit === '' ? '' : ` ${unit.split(' ')[0]}`}${range}`
}
