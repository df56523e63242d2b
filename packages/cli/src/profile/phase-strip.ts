import type { Phase } from '../engine.ts'
import { type Chart, drawChart, loadPlot } from '../plot/chart.ts'
import { printable } from '../text.ts'
import { formatDuration } from '../units.ts'
import { margins } from './draw-panel.ts'

export interface Span {
  readonly name: string
  /** s since the start. */
  readonly from: number
  readonly to: number
}

export function spansOf(phases: readonly Phase[], start: number): Span[] {
  return phases.map(({ name, from, to }) => ({ name, from: Math.max(0, from - start) / 1000, to: (to - start) / 1000 }))
}

const charWidth = 6.6

/** A band for each phase, named where its name has room. */
export async function drawStrip(spans: readonly Span[], duration: number, width: number): Promise<Chart> {
  const { rectX, text } = await loadPlot()
  const pixels = (width - margins.left - margins.right) / duration
  const bands = spans.map((span, index) => ({ ...span, fill: index % 2 === 0 ? '#e4e4e4' : '#c4c4c4' }))
  const named = bands.filter(({ name, from, to }) => (to - from) * pixels > name.length * charWidth + 6)
  return drawChart({
    width,
    height: 18,
    marginLeft: margins.left,
    marginRight: margins.right,
    marginTop: 0,
    marginBottom: 0,
    x: { domain: [0, duration], axis: null },
    y: { axis: null },
    marks: [
      rectX(bands, { x1: 'from', x2: 'to', fill: 'fill', stroke: '#777777', strokeWidth: 0.5, title: 'name' }),
      text(named, { x: ({ from, to }) => (from + to) / 2, text: ({ name }) => printable(name), frameAnchor: 'middle' }),
    ],
  })
}

const mostNames = 6

/** `prepare 0.10 s, fetch 3.2 s`: phases of one name together, in the order in which they came. */
export function phaseLine(spans: readonly Span[]): string {
  const sums = new Map<string, number>()
  for (const { name, from, to } of spans) sums.set(name, (sums.get(name) ?? 0) + to - from)
  const told = [...sums].map(([name, seconds]) => `${printable(name)} ${formatDuration(seconds * 1000)}`)
  const more = told.length > mostNames ? [`${told.length - mostNames} more`] : []
  return [...told.slice(0, mostNames), ...more].join(', ')
}
