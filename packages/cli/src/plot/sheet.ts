/** Panels one below the other on one white sheet with a title: the picture that is written as SVG or put into a page. */
import type { Chart } from './chart.ts'
import { SvgDocument, type SvgElement, toXml } from './svg-document.ts'

export interface Panel {
  /** Above the chart, left, in bold. */
  readonly title?: string
  /** Behind the title. */
  readonly note?: string
  /** Which line is which, right of the title. */
  readonly legend?: readonly LegendItem[]
  readonly chart: Chart
}

export interface LegendItem {
  readonly label: string
  readonly stroke: string
  readonly strokeWidth?: number
  readonly strokeDasharray?: string
}

export interface Sheet {
  readonly title: string
  /** Below the title, a line each. */
  readonly lines?: readonly string[]
  readonly panels: readonly Panel[]
}

/** A finished picture. */
export interface Drawing {
  readonly title: string
  /** px */
  readonly width: number
  /** px */
  readonly height: number
  /** Well-formed SVG with its namespace, without anything from elsewhere. */
  readonly svg: string
  /** Of each panel: where its chart's own (0, 0) is. */
  readonly offsets: readonly { readonly x: number; readonly y: number }[]
}

const margin = 12
const fontSize = 11
const fontFamily = "'DejaVu Sans', 'Helvetica Neue', Arial, sans-serif"
const headSize = 15
const lineHeight = 16
const panelHead = 22
const panelGap = 10

export function drawSheet({ title, lines = [], panels }: Sheet): Drawing {
  const document = new SvgDocument()
  const width = 2 * margin + Math.max(...panels.map(({ chart }) => chart.width))
  const parts: SvgElement[] = []
  const text = (x: number, y: number, content: string, more: Record<string, string | number> = {}) =>
    document.element('text', { x, y, ...more }, content)
  let y = margin + headSize
  parts.push(text(margin, y, title, { 'font-size': headSize, 'font-weight': 'bold' }))
  for (const line of lines) parts.push(text(margin, (y += lineHeight), line, { fill: '#444444' }))
  y += panelGap
  const offsets: { x: number; y: number }[] = []
  for (const { title: head, note, legend = [], chart } of panels) {
    if (head !== undefined) {
      const named = text(margin, y + 14, head, { 'font-weight': 'bold' })
      if (note) named.append(document.element('tspan', { 'font-weight': 'normal', fill: '#444444' }, `  ${note}`))
      parts.push(named, ...drawLegend(document, legend, width - margin, y + 14))
      y += panelHead
    }
    offsets.push({ x: margin, y })
    parts.push(placed(document, chart.root, margin, y))
    y += chart.height + panelGap
  }
  const height = Math.ceil(y)
  const root = document.element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      'font-family': fontFamily,
      'font-size': fontSize,
      role: 'img',
    },
    document.element('title', {}, title),
    document.element('rect', { width, height, fill: '#ffffff' }),
    ...parts,
  )
  return { title, width, height, svg: toXml(root), offsets }
}

/** Right-aligned: a piece of the line, then its name. Widths are estimated, since nothing here can measure text. */
function drawLegend(document: SvgDocument, items: readonly LegendItem[], right: number, y: number): SvgElement[] {
  const sample = 26
  const gap = 14
  const widths = items.map(({ label }) => sample + 5 + label.length * fontSize * 0.6)
  let x = right - widths.reduce((sum, width) => sum + width + gap, -gap)
  return items.flatMap(({ label, stroke, strokeWidth = 1.5, strokeDasharray }, index) => {
    const line = document.element('line', { x1: x, x2: x + sample, y1: y - 4, y2: y - 4, stroke })
    line.setAttribute('stroke-width', strokeWidth)
    if (strokeDasharray !== undefined) line.setAttribute('stroke-dasharray', strokeDasharray)
    const name = document.element('text', { x: x + sample + 5, y }, label)
    x += (widths[index] as number) + gap
    return [line, name]
  })
}

/** What all of Plot's marks inherit from its own `svg`; fonts are the sheet's. */
const inherited = ['fill', 'text-anchor']

/** The chart as a group. Its style sheet stays behind: it would lay the whole page out anew. */
function placed(document: SvgDocument, root: SvgElement, x: number, y: number): SvgElement {
  const group = document.element('g', { transform: `translate(${x},${y})` })
  for (const name of inherited) {
    const value = root.getAttribute(name)
    if (value !== null) group.setAttribute(name, value)
  }
  group.append(...root.childNodes.filter(child => !('tagName' in child && child.tagName === 'style')))
  return group
}
