/** The heat map as a picture: values stand in the cells, so that it reads in black and white. */
import { type Chart, drawChart, loadPlot } from '../plot/chart.ts'
import { darkness, inks, textOn } from '../plot/ink.ts'
import { type Drawing, drawSheet } from '../plot/sheet.ts'
import { shorten } from '../text.ts'
import { formatSize } from '../units.ts'
import { defaults } from './configuration.ts'
import { byScenario, type Group, isOurs, isSound } from './groups.ts'
import { type HeatGrid, heatGrids, threadsText } from './heat.ts'
import { ranked } from './tables.ts'

const cellWidth = 76
const cellHeight = 34
const left = 84
const right = 16

/** Of every scenario: its grids, then everybody's time with its range. */
export async function drawBench(groups: readonly Group[]): Promise<Drawing> {
  const panels: { title: string; note: string; chart: Chart }[] = []
  for (const [scenario, members] of byScenario(groups)) {
    const title = shorten(scenario, 44)
    for (const grid of heatGrids(members)) {
      const note = ['median Gbit/s, best framed', threadsText(grid.threads)].filter(text => text).join(', ')
      panels.push({ title, note, chart: await heatChart(grid, heatGrids(members)) })
    }
    const shown = worthABar(members)
    const note = `median, fastest – slowest run; ${formatSize(members[0]!.bytes)}`
    if (shown.length > 0) panels.push({ title, note, chart: await timesChart(shown) })
  }
  return drawSheet({ title: 'arriero bench', lines: [about(groups)], panels })
}

/** Most bars of ours: the heat map tells of the rest. */
const mostBars = 12

/** Everybody else, what one has without any flags, and our fastest. */
function worthABar(groups: readonly Group[]): Group[] {
  const sound = ranked(groups).filter(isSound)
  const best = new Set(sound.filter(isOurs).slice(0, mostBars))
  return sound.filter(group => !isOurs(group) || best.has(group) || group.label === defaults.name)
}

function about(groups: readonly Group[]): string {
  const tools = new Map(groups.map(({ tool, version }) => [tool, version]))
  const runs = groups.map(({ runs }) => runs).filter(runs => runs > 0)
  const [least, most] = [Math.min(...runs), Math.max(...runs)]
  const rounds = runs.length === 0 ? 'no runs' : `${least === most ? most : `${least} to ${most}`} runs of each`
  return `${[...tools].map(([tool, version]) => `${tool} ${version}`).join(', ')}; ${rounds}`
}

/** Grids of one scenario share their scale: what is darker is faster, in whichever panel. */
async function heatChart(grid: HeatGrid, together: readonly HeatGrid[]): Promise<Chart> {
  const { cell, text } = await loadPlot()
  const values = together.flatMap(({ cells }) => cells.map(({ gbitPerSecond }) => gbitPerSecond))
  const most = Math.max(...values)
  const { cells, partSizes, connections } = grid
  const place = { x: 'partSize', y: 'connections' } as const
  return drawChart({
    width: Math.max(420, left + right + partSizes.length * cellWidth),
    height: 56 + connections.length * cellHeight,
    marginLeft: left,
    marginRight: Math.max(right, 420 - left - partSizes.length * cellWidth),
    marginTop: 14,
    marginBottom: 42,
    x: { domain: partSizes, label: 'part size', labelAnchor: 'center', labelArrow: 'none', tickSize: 0 },
    y: { domain: connections, label: 'connections', labelAnchor: 'top', labelArrow: 'none', tickSize: 0 },
    // From zero: cells that differ little look alike.
    color: { type: 'linear', scheme: darkness, domain: [0, most] },
    marks: [
      cell(cells, { ...place, fill: 'gbitPerSecond', inset: 1 }),
      // Black around white: seen on the darkest cell as well.
      ...[
        { stroke: '#ffffff', strokeWidth: 7, inset: 2.5 },
        { stroke: '#000000', strokeWidth: 3, inset: 1 },
      ].map(frame =>
        cell(
          cells.filter(({ isBest }) => isBest),
          { ...place, fill: 'none', ...frame },
        ),
      ),
      text(cells, {
        ...place,
        text: each => each.gbitPerSecond.toFixed(2),
        fill: each => textOn(each.gbitPerSecond / most),
        fontSize: 12,
        fontWeight: 'bold',
      }),
    ],
  })
}

const barHeight = 20

async function timesChart(groups: readonly Group[]): Promise<Chart> {
  const { barX, link, text, ruleX } = await loadPlot()
  const rows = groups.map(group => {
    const { median, min, max } = group.wallSeconds
    return { name: rowName(group), median, min, max, isOurs: group.tool === 'arriero' }
  })
  const most = Math.max(...rows.map(({ max }) => max))
  return drawChart({
    width: 640,
    height: 40 + rows.length * barHeight,
    marginLeft: 20 + Math.max(...rows.map(({ name }) => name.length)) * 6.6,
    marginRight: 58,
    marginTop: 6,
    marginBottom: 34,
    x: { domain: [0, most], label: 'seconds', labelAnchor: 'center', labelArrow: 'none', nice: true },
    y: { domain: rows.map(({ name }) => name), label: null, tickSize: 0 },
    marks: [
      barX(rows, {
        x: 'median',
        y: 'name',
        fill: row => (row.isOurs ? inks[0].stroke : '#d5d5d5'),
        stroke: '#333333',
        strokeWidth: 0.6,
        insetTop: 3,
        insetBottom: 3,
      }),
      // White below black: seen on a dark bar as well as beside it.
      link(rows, { x1: 'min', x2: 'max', y1: 'name', y2: 'name', stroke: '#ffffff', strokeWidth: 4 }),
      link(rows, { x1: 'min', x2: 'max', y1: 'name', y2: 'name', stroke: '#000000', strokeWidth: 1.4 }),
      text(rows, { x: 'max', y: 'name', text: row => row.median.toFixed(2), textAnchor: 'start', dx: 6 }),
      ruleX([0]),
    ],
  })
}

const rowName = ({ tool, configuration, label }: Group) => (configuration ? `${tool} ${label}` : label)
