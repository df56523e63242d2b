/** The one place that knows uPlot. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { ChartLine } from './chart-line.ts'

export interface DrawOptions {
  readonly parent: HTMLElement
  readonly times: readonly number[]
  readonly lines: readonly ChartLine[]
  readonly format: (value: number) => string
  /** The index that is pointed at; undefined: none. */
  readonly onPoint: (index: number | undefined) => void
}

const HEIGHT = 220

export interface Drawn {
  /** As many lines as before. */
  update(times: readonly number[], lines: readonly ChartLine[]): void
  stop(): void
}

/** Draws, and again whenever the width changes. */
export function drawChart({ parent, times, lines, format, onPoint }: DrawOptions): Drawn {
  const colour = colourReader(parent)
  const axis = {
    stroke: colour('--ink-soft'),
    font: `12px ${getComputedStyle(parent).fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  }
  const plot = new uPlot(
    {
      width: parent.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: {
        // A value is that of the time from its own to the next: the last one has as much room.
        x: { range: (_, first, last) => [first, last + (last - first) / Math.max(1, times.length - 1)] },
        y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] },
      },
      axes: [
        { ...axis, values: timeLabels },
        { ...axis, size: 72, splits: (_, __, ___, most) => evenSplits(most), values: (_, at) => at.map(format) },
      ],
      series: [
        {},
        ...lines.map(({ label, form }, index) => ({ label, ...seriesOf(form, colour(`--series-${index}`)) })),
      ],
      hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
    },
    dataOf(times, lines),
    parent,
  )
  const observer = new ResizeObserver(() => plot.setSize({ width: parent.clientWidth, height: HEIGHT }))
  observer.observe(parent)
  return {
    update: (newTimes, newLines) => plot.setData(dataOf(newTimes, newLines)),
    stop() {
      observer.disconnect()
      plot.destroy()
    },
  }
}

function dataOf(times: readonly number[], lines: readonly ChartLine[]): uPlot.AlignedData {
  return [times.map(ms => ms / 1000), ...lines.map(({ values }) => [...values])]
}

/** A canvas does not know what our names of colours stand for; an element does. */
function colourReader(parent: HTMLElement): (name: string) => string {
  return name => {
    const probe = document.createElement('span')
    probe.style.color = `var(${name})`
    parent.append(probe)
    const { color } = getComputedStyle(probe)
    probe.remove()
    return color
  }
}

function seriesOf(form: ChartLine['form'], stroke: string): Partial<uPlot.Series> {
  const common = { stroke, points: { show: false } }
  if (form === 'bars')
    return { ...common, fill: stroke, width: 0, paths: uPlot.paths.bars!({ size: [0.7, 24], align: 1 }) }
  return form === 'steps'
    ? { ...common, width: 2, paths: uPlot.paths.stepped!({ align: 1, extend: true }) }
    : { ...common, width: 2, dash: [6, 4] }
}

/** Powers of two between them, since sizes are told in binary prefixes. */
function evenSplits(most: number): number[] {
  const step = 2 ** Math.ceil(Math.log2(Math.max(1, most) / 4))
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step)
}

/** Hours of the day; where a day begins, its date. */
function timeLabels(_: uPlot, splits: number[]): string[] {
  return splits.map(seconds => {
    const text = new Date(seconds * 1000).toISOString()
    return text.slice(11, 16) === '00:00' ? text.slice(5, 10) : text.slice(11, 16)
  })
}
