/**
 * A static SVG: one panel per case, one bar per tool, whiskers from the fastest to the slowest run, and a dashed line
 * where the target lies. Told apart by fill and by label, so that it reads in black and white.
 */

import type { ContenderResult } from '../packages/cli/src/bench/rounds.ts'
import type { Spread } from '../packages/cli/src/bench/stats.ts'
import { type CaseResult, judgements } from './report.ts'
import { bytes, seconds } from './units.ts'

const width = 820
const labelWidth = 170
const valueWidth = 110
const barLeft = labelWidth + 10
const barRight = width - valueWidth
const rowHeight = 24
const barHeight = 14
const headHeight = 46
const footHeight = 16

export function plot(results: readonly CaseResult[]): string {
  let top = 16
  const panels: string[] = []
  for (const result of results) {
    const { svg, height } = panel(result)
    panels.push(`<g transform="translate(0 ${top})">${svg}</g>`)
    top += height
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#111">
<title>arriero get: benchmark</title>
<rect width="${width}" height="${top}" fill="#fff"/>
${panels.join('\n')}
</svg>
`
}

function panel(result: CaseResult): { svg: string; height: number } {
  const { case: it, rounds } = result
  const isMemory = it.metric === 'memory'
  const spreadOf = (tool: ContenderResult) => (isMemory ? tool.rss : tool.wall)
  const show = isMemory ? bytes : seconds
  const sound = result.results.filter(({ problems }) => problems.length === 0)
  const limit = tightestLimit(result)
  const most = Math.max(...sound.map(tool => spreadOf(tool).max), limit ?? 0) || 1
  const x = (value: number) => barLeft + (value / most) * (barRight - barLeft)
  const bottom = headHeight + result.results.length * rowHeight

  const rows = result.results.map((tool, index) => {
    const y = headHeight + index * rowHeight
    const label = `<text x="${labelWidth}" y="${y + 16}" text-anchor="end"${isOurs(tool) ? ' font-weight="bold"' : ''}>${escaped(tool.label)}</text>`
    if (tool.problems.length > 0) return `${label}<text x="${barLeft + 4}" y="${y + 16}" fill="#555">failed</text>`
    return label + bar(spreadOf(tool), y, x, isOurs(tool))
  })
  const values = sound.map(tool => {
    const at = round(x(spreadOf(tool).max)) + 8
    const y = headHeight + result.results.indexOf(tool) * rowHeight + 16
    // Last and with a white rim, because the dashed line may run through it.
    return `<text x="${at}" y="${y}" stroke="#fff" stroke-width="4" paint-order="stroke">${show(spreadOf(tool).median)}</text>`
  })
  const limitLine = limit === undefined ? '' : dashed(round(x(limit)), headHeight - 2, bottom + 2)
  const runs = `${rounds} round${rounds === 1 ? '' : 's'}${it.scaled ? `; scaled: ${it.scaled}` : ''}`
  const subtitle = `${isMemory ? 'peak RSS, less is better' : 'wall time: median, min – max, less is better'}; ${runs}${limit === undefined ? '' : '; dashed: what ours must not pass'}`
  return {
    svg: `<text x="12" y="14" font-size="14" font-weight="bold">${escaped(it.title)}</text>
<text x="12" y="32" fill="#444">${escaped(subtitle)}</text>
<line x1="${barLeft}" x2="${barLeft}" y1="${headHeight - 2}" y2="${bottom + 2}" stroke="#111"/>
${rows.join('\n')}
${limitLine}
${values.join('\n')}`,
    height: bottom + footHeight,
  }
}

function bar(spread: Spread, y: number, x: (value: number) => number, isOurs: boolean): string {
  const [left, end, min, max] = [barLeft, x(spread.median), x(spread.min), x(spread.max)].map(round)
  const top = y + (rowHeight - barHeight) / 2
  const middle = top + barHeight / 2
  const fill = isOurs ? '#222' : '#ccc'
  const whisker = `M${min} ${middle}H${max}M${min} ${middle - 4}v8M${max} ${middle - 4}v8`
  const whiskers =
    spread.min === spread.max
      ? ''
      : `<path d="${whisker}" stroke="#fff" stroke-width="3.4" fill="none"/><path d="${whisker}" stroke="#111" stroke-width="1.3" fill="none"/>`
  // The white line under the black one keeps the whisker visible where it lies on a dark bar.
  return `<rect x="${left}" y="${top}" width="${round(Math.max(end! - left!, 1))}" height="${barHeight}" fill="${fill}" stroke="#222" stroke-width=".8"/>
${whiskers}`
}

/** White under black, like the whiskers. */
function dashed(x: number, top: number, bottom: number): string {
  const at = `x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"`
  return `<line ${at} stroke="#fff" stroke-width="3"/><line ${at} stroke="#111" stroke-width="1.2" stroke-dasharray="4 3"/>`
}

/** Of several limits the tightest: who keeps it keeps the others. */
function tightestLimit(result: CaseResult): number | undefined {
  const limits = judgements(result).flatMap(({ limit }) => (limit === undefined ? [] : [limit]))
  return limits.length > 0 ? Math.min(...limits) : undefined
}

const isOurs = ({ program }: ContenderResult) => program === 'arriero'
const round = (value: number) => Math.round(value * 10) / 10
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
