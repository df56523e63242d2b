/** The results in the form that was asked for. */

import { printable } from '../text.ts'
import { formatSize } from '../units.ts'
import { byScenario, type Group, groupRecords } from './groups.ts'
import { heatGrids, terminalHeat } from './heat.ts'
import { recommendationLines } from './recommend.ts'
import { type BenchRecord, downloadPerfLine } from './record.ts'
import { csvTable, markdownTable, terminalTable } from './tables.ts'

export const outputFormats = ['table', 'csv', 'markdown', 'downloadperf'] as const
export type OutputFormat = (typeof outputFormats)[number]

export interface OutputOptions {
  readonly columns: number
  /** Flags of `get` that all configurations had; a recommendation repeats them. */
  readonly args?: readonly string[] | undefined
}

/** Text that ends with a line break. */
export function formatRecords(records: readonly BenchRecord[], format: OutputFormat, options: OutputOptions): string {
  const groups = groupRecords(records)
  switch (format) {
    case 'csv':
      return csvTable(groups)
    case 'markdown':
      return markdown(records, groups, options)
    case 'downloadperf':
      return downloadPerf(records)
    default:
      return byScenario(groups)
        .map(([scenario, members]) => table(scenario, members, options))
        .join('\n')
  }
}

function table(scenario: string, groups: readonly Group[], { columns, args }: OutputOptions): string {
  const heat = heatGrids(groups).flatMap(grid => ['', ...terminalHeat(grid, columns)])
  const head = `${printable(scenario)}: ${formatSize(groups[0]!.bytes)}`
  const advice = hasOurs(groups)
    ? ['', ...recommendationLines(groups, { args }).flatMap(line => wrap(line, columns))]
    : []
  return `${[head, '', ...terminalTable(groups, columns), ...heat, ...advice].join('\n')}\n`
}

function markdown(records: readonly BenchRecord[], groups: readonly Group[], { args }: OutputOptions): string {
  const parts = byScenario(groups).map(([scenario, members]) => {
    const advice = hasOurs(members) ? `\n${recommendationLines(members, { args }).join('\n')}\n` : ''
    return `## ${printable(scenario)}\n\n${formatSize(members[0]!.bytes)}\n\n${markdownTable(members)}${advice}`
  })
  return ['# Benchmark\n', ...parts, where(records)].join('\n')
}

const hasOurs = (groups: readonly Group[]) =>
  groups.some(({ tool, configuration }) => tool === 'arriero' && configuration)

function where(records: readonly BenchRecord[]): string {
  const machines = records.map(({ machine, node }) => {
    const { cpu, cores, memory_bytes, kernel, filesystem } = machine
    return `- ${cpu}, ${cores} cores, ${formatSize(memory_bytes)}; ${kernel}; ${filesystem}; Node ${node}`
  })
  return `## Where\n\n${[...new Set(machines)].join('\n')}\n`
}

/** A line for each run, below a comment that says whose they are. */
function downloadPerf(records: readonly BenchRecord[]): string {
  const byTool = Map.groupBy(
    records.filter(({ is_right }) => is_right),
    ({ scenario, tool, configuration }) => [scenario, tool, configuration?.name ?? ''].join(' ').trim(),
  )
  return [...byTool]
    .map(([name, runs]) => `# ${printable(name)}\n${runs.map(run => `${downloadPerfLine(run)}\n`).join('')}`)
    .join('')
}

/** Between words; a longer word stands alone. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > columns - 1) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
