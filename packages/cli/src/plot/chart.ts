/** One chart of Observable Plot, drawn without a browser. Plot is loaded when the first chart is drawn. */
import type * as Plot from '@observablehq/plot'
import { SvgDocument, type SvgElement } from './svg-document.ts'

export type PlotDoor = typeof Plot
export type ChartOptions = Omit<Plot.PlotOptions, 'document' | 'figure'>

export interface Chart {
  /** px */
  readonly width: number
  /** px */
  readonly height: number
  readonly root: SvgElement
  /** As Plot has it: domain and range in px of this chart; undefined when the chart has no such axis. */
  scale(name: 'x' | 'y'): Plot.Scale | undefined
}

export function loadPlot(): Promise<PlotDoor> {
  return import('@observablehq/plot')
}

/**
 * Draws with Plot's own options; titles and captions belong to the sheet. Continuous colour legends need a canvas, which
 * is not here: print the values into the cells instead, which also serves those who print in black and white.
 */
export async function drawChart(options: ChartOptions): Promise<Chart> {
  const { plot } = await loadPlot()
  const document = new SvgDocument()
  const root = plot({ ...options, document: document as never }) as unknown as SvgElement & Pick<Chart, 'scale'>
  return {
    width: Number(root.getAttribute('width')),
    height: Number(root.getAttribute('height')),
    root,
    scale: name => root.scale(name),
  }
}
