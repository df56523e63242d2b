/** Our configurations as a grid of connections by part size, one for each number of threads. */
import { spellSize } from './configuration.ts'
import { type Group, isOurs, isSound } from './groups.ts'

export interface HeatCell {
  readonly connections: string
  readonly partSize: string
  /** Median. */
  readonly gbitPerSecond: number
  readonly isBest: boolean
}

export interface HeatGrid {
  readonly scenario: string
  /** Undefined: left to the program. */
  readonly threads: number | undefined
  /** Ascending; `auto` first. */
  readonly connections: readonly string[]
  readonly partSizes: readonly string[]
  readonly cells: readonly HeatCell[]
}

/** A grid needs two cells to be worth a look. Those of a scenario share their axes. */
export function heatGrids(groups: readonly Group[]): HeatGrid[] {
  return [...Map.groupBy(groups.filter(isOnGrid), ({ scenario }) => scenario)].flatMap(([scenario, members]) => {
    if (members.length < 2) return []
    const best = members.toSorted((a, b) => a.wallSeconds.median - b.wallSeconds.median)[0]
    const axis = (value: (group: Group) => number | null, spell: (value: number) => string) =>
      [...new Set(members.map(value))].sort((a, b) => (a ?? 0) - (b ?? 0)).map(each => spelled(each, spell))
    const shared = {
      scenario,
      connections: axis(({ configuration }) => configuration!.connections, String),
      partSizes: axis(({ configuration }) => configuration!.part_size, spellSize),
    }
    const byThreads = Map.groupBy(members, ({ configuration }) => configuration!.threads)
    return [...byThreads]
      .sort(([a], [b]) => (a ?? 0) - (b ?? 0))
      .map(([threads, each]) => ({
        ...shared,
        threads: threads ?? undefined,
        cells: each.map(group => cellOf(group, group === best)),
      }))
  })
}

/** What leaves both to the program has no place on the axes, and files may set more than these. */
function isOnGrid(group: Group): boolean {
  const { configuration } = group
  return isOurs(group) && isSound(group) && (configuration?.connections ?? configuration?.part_size ?? null) !== null
}

function cellOf({ configuration, gbitPerSecond }: Group, isBest: boolean): HeatCell {
  return {
    connections: spelled(configuration!.connections, String),
    partSize: spelled(configuration!.part_size, spellSize),
    gbitPerSecond: gbitPerSecond.median,
    isBest,
  }
}

const spelled = (value: number | null, spell: (value: number) => string) => (value === null ? 'auto' : spell(value))

export function threadsText(threads: number | undefined): string | undefined {
  return threads === undefined ? undefined : `${threads} digest thread${threads === 1 ? '' : 's'}`
}

/** Numbers in cells; the best one in brackets. As many part sizes beside each other as there are columns for. */
export function terminalHeat({ threads, connections, partSizes, cells }: HeatGrid, columns: number): string[] {
  const width = Math.max(9, ...partSizes.map(size => size.length + 2))
  const label = 'connections'.length
  const perBlock = Math.max(1, Math.floor((columns - 1 - label) / width))
  const about = threadsText(threads)
  const lines = [`median Gbit/s by connections and part size${about ? `, ${about}` : ''}`]
  for (let at = 0; at < partSizes.length; at += perBlock) {
    const sizes = partSizes.slice(at, at + perBlock)
    lines.push('connections'.padEnd(label) + sizes.map(size => `${size} `.padStart(width)).join(''))
    for (const count of connections) {
      const row = sizes.map(size => {
        const cell = cells.find(cell => cell.connections === count && cell.partSize === size)
        return (cell ? shownCell(cell) : '– ').padStart(width)
      })
      lines.push(count.padStart(label) + row.join(''))
    }
  }
  return lines
}

function shownCell({ gbitPerSecond, isBest }: HeatCell): string {
  const value = gbitPerSecond.toFixed(2)
  return isBest ? `[${value}]` : `${value} `
}
