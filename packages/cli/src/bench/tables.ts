/** The groups as tables: for a terminal, for Markdown, for a spreadsheet. */
import { displayWidth, pad, printable, shorten } from '../text.ts'
import { formatSize } from '../units.ts'
import { type Group, isSound } from './groups.ts'

const heads = ['', 'median', 'min – max', 'Gbit/s', 'CPU s/GB', 'memory', 'conns'] as const

/** `412 ms`, `3.07 s`, `21.4 s`. */
export function seconds(value: number): string {
  return value < 0.9995 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(value < 9.995 ? 2 : 1)} s`
}

/** The unit is said once where both have the same. */
function secondsRange(min: number, max: number): string {
  const [from, to] = [seconds(min), seconds(max)]
  const [number, unit] = from.split(' ')
  return `${to.endsWith(` ${unit}`) ? number : from} – ${to}`
}

function cellsOf(group: Group): string[] {
  const { wallSeconds: wall, gbitPerSecond, cpuSeconds, bytes, peakResidentBytes, peakConnections } = group
  return [
    seconds(wall.median),
    secondsRange(wall.min, wall.max),
    gbitPerSecond.median.toFixed(2),
    bytes > 0 ? (cpuSeconds.median / (bytes / 1e9)).toFixed(2) : '–',
    Number.isNaN(peakResidentBytes) ? '–' : formatSize(peakResidentBytes),
    Number.isNaN(peakConnections) ? '–' : String(peakConnections),
  ]
}

const problemOf = ({ problem }: Group) => `left out: ${problem ?? 'not measured'}`

/** The fastest first; those without a sound run last. */
export function ranked(groups: readonly Group[]): Group[] {
  return groups.toSorted(
    (a, b) => Number(isSound(b)) - Number(isSound(a)) || a.wallSeconds.median - b.wallSeconds.median || 0,
  )
}

export function terminalTable(groups: readonly Group[], columns: number): string[] {
  const rows = ranked(groups).map(group => ({ group, cells: isSound(group) ? cellsOf(group) : undefined }))
  const widths = heads
    .slice(1)
    .map((head, index) => Math.max(head.length, ...rows.map(({ cells }) => cells?.[index]?.length ?? 0)))
  const room = columns - 1 - widths.reduce((sum, width) => sum + width + 2, 0)
  const widest = (name: (group: Group) => string) => Math.max(...rows.map(({ group }) => displayWidth(name(group))))
  // What is set says enough where there is no room for whose it is.
  const name = widest(nameOf) <= room ? nameOf : ({ label }: Group) => label
  const first = Math.max(8, Math.min(room, widest(name)))
  const line = (text: string, cells: readonly string[]) =>
    `${pad(shorten(text, first), first)}${cells.map((cell, index) => `  ${cell.padStart(widths[index]!)}`).join('')}`
  return [
    line('', heads.slice(1)),
    ...rows.map(({ group, cells }) =>
      cells
        ? line(name(group), cells)
        : `${pad(shorten(name(group), first), first)}  ${shorten(printable(problemOf(group).replaceAll(/\s+/g, ' ')), columns - first - 3)}`,
    ),
  ]
}

/** Our configurations by what is set, everybody else by name. */
function nameOf({ tool, configuration, label }: Group): string {
  return configuration ? `${tool} ${label}` : label
}

export function markdownTable(groups: readonly Group[]): string {
  const rows = ranked(groups).map(group => {
    const cells = isSound(group) ? cellsOf(group) : [escaped(problemOf(group)), '', '', '', '', '']
    return `| ${[escaped(nameOf(group)), group.version, String(group.runs), ...cells].join(' | ')} |`
  })
  const titles = ['tool', 'version', 'runs', ...heads.slice(1)]
  return [`| ${titles.join(' | ')} |`, `| --- | --- | ${'--: | '.repeat(heads.length)}`.trimEnd(), ...rows, ''].join(
    '\n',
  )
}

const escaped = (text: string) => printable(text.replaceAll(/\s+/g, ' ')).replaceAll('|', '\\|')

const csvHead = [
  ...['scenario', 'tool', 'version', 'configuration', 'connections', 'part_size', 'threads', 'runs', 'bytes'],
  ...['wall_median_s', 'wall_min_s', 'wall_max_s', 'gbit_median_s', 'gbit_min_s', 'gbit_max_s', 'cpu_median_s'],
  ...['cpu_s_per_gb', 'peak_resident_bytes', 'peak_connections', 'retries', 'problem'],
]

export function csvTable(groups: readonly Group[]): string {
  const rows = groups.map(group => {
    const { scenario, tool, version, configuration, runs, bytes, wallSeconds: wall, gbitPerSecond: gbit } = group
    const { cpuSeconds: cpu, peakResidentBytes, peakConnections, retries, problem } = group
    return [
      ...[scenario, tool, version, configuration?.name, configuration?.connections, configuration?.part_size],
      ...[configuration?.threads, runs, bytes, wall.median, wall.min, wall.max, gbit.median, gbit.min, gbit.max],
      ...[cpu.median, bytes > 0 ? cpu.median / (bytes / 1e9) : undefined, peakResidentBytes, peakConnections, retries],
      problem,
    ]
  })
  return [csvHead, ...rows]
    .map(row => row.map(csvField).join(','))
    .join('\r\n')
    .concat('\r\n')
}

function csvField(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return Number.isNaN(value) ? '' : String(Number(value.toPrecision(9)))
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}
