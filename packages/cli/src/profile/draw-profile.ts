/** A profile as one picture: panels over one time axis, phases marked. */
import { basename } from 'node:path'
import type { EngineDoor, Sample } from '../engine.ts'
import type { Hover } from '../plot/page.ts'
import { type Drawing, drawSheet, type Panel } from '../plot/sheet.ts'
import { count, printable, shorten } from '../text.ts'
import { formatDuration } from '../units.ts'
import { type DrawnPanel, drawPanel, margins, panelHeight } from './draw-panel.ts'
import { planPanels } from './panel-plans.ts'
import { drawStrip, phaseLine, type Span, spansOf } from './phase-strip.ts'
import type { SeriesKind } from './series-kinds.ts'
import { type Axis, layOut } from './stretches.ts'
import { formatTime, timeAxis } from './time-axis.ts'

export interface ProfileDrawingOptions {
  readonly title: string
  readonly series: SeriesKind
  /** px. Default: 860; of the reference's series six inches per minute. */
  readonly width?: number | undefined
}

/** What is needed of the engine. */
type Door = Pick<EngineDoor, 'metricsOf' | 'parseProfileTime' | 'phasesOf' | 'units'>

export interface ProfileDrawing {
  readonly drawing: Drawing
  readonly hover: Hover
}

/** px of one step: narrower ones could not be told apart. */
const pixelsPerStep = 1
const pixelsPerLabel = 70

export async function drawProfile(
  samples: readonly [Sample, ...Sample[]],
  door: Door,
  { title, series, width: wanted }: ProfileDrawingOptions,
): Promise<ProfileDrawing> {
  const width = wanted ?? (series === 'retriever' ? retrieverWidth(samples, door) : 860)
  const inner = width - margins.left - margins.right
  const axis = layOut(samples, Math.floor(inner / pixelsPerStep), door)
  const { duration, stretches } = axis
  const time = timeAxis(duration, Math.max(2, Math.floor(inner / pixelsPerLabel)))
  const spans = spansOf(door.phasesOf(samples), axis.start)
  const plans = planPanels(samples, series, door)
  const phaseStarts = spans.map(({ from }) => from).filter(from => from > 0)
  const drawn: DrawnPanel[] = []
  for (const plan of plans) {
    const isLast = plan === plans.at(-1)
    drawn.push(await drawPanel(plan, { time, stretches, width, phaseStarts, isLast }))
  }
  const strip: Panel[] = spans.length > 0 ? [{ chart: await drawStrip(spans, duration, width) }] : []
  const panels = [...strip, ...drawn.map(({ panel }) => panel)]
  const lines = linesOf(samples, axis, spans)
  const drawing = drawSheet({
    title: printable(`Profile: ${shorten(basename(title), 70)}`),
    lines,
    insetRight: margins.right,
    panels,
  })
  return { drawing, hover: hoverOf(drawing, drawn, axis, spans, width) }
}

/** Six inches for each minute, of which 96 px are one; not so wide that nobody could open it. */
function retrieverWidth(samples: readonly [Sample, ...Sample[]], door: Door): number {
  const minutes = layOut(samples, samples.length, door).duration / 60
  return Math.round(Math.min(20_000, Math.max(576, minutes * 6 * 96)))
}

function linesOf(samples: readonly Sample[], axis: Axis, spans: readonly Span[]): string[] {
  const begun = new Date(axis.start).toISOString().slice(0, 19).replace('T', ' ')
  const cores = samples.find(({ per_cpu }) => per_cpu)?.per_cpu?.length
  const parts = [
    `${begun} UTC`,
    formatDuration(axis.duration * 1000),
    `${count(samples.length, 'sample')} every ${formatDuration(axis.interval * 1000)}`,
    ...(cores === undefined ? [] : [count(cores, 'core')]),
  ]
  const isJoined = axis.stretches.length < samples.length
  const most = Math.max(...axis.stretches.map(stretch => stretch.samples.length))
  return [
    parts.join(', '),
    ...(spans.length > 0 ? [`Phases: ${phaseLine(spans)}`] : []),
    ...(isJoined
      ? [
          `Each step is the mean of up to ${count(most, 'sample')}; the band reaches from their lowest to their highest.`,
        ]
      : []),
  ]
}

function hoverOf(
  { offsets }: Drawing,
  drawn: readonly DrawnPanel[],
  { duration, stretches, interval }: Axis,
  spans: readonly Span[],
  width: number,
): Hover {
  const [{ x, y }] = offsets as [{ x: number; y: number }]
  return {
    left: x + margins.left,
    right: x + width - margins.right,
    top: y,
    bottom: offsets.at(-1)!.y + panelHeight - margins.bottom,
    from: 0,
    to: duration,
    at: stretches.map(({ from, to }) => (from + to) / 2),
    names: stretches.map(({ from, to }) => {
      const span = spans.findLast(each => each.from < to)
      return `${formatTime(from, interval)} to ${formatTime(to, interval)}${span ? `, ${printable(span.name)}` : ''}`
    }),
    series: drawn.flatMap(({ series }) => series),
  }
}
