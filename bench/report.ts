/** The same results four times: JSON lines for programs, CSV for tables, Markdown for people, one line per run for scripts. */

import { nodePath, programPath } from '../e2e/program.ts'
import type { Machine } from '../packages/cli/src/bench/machine.ts'
import { recordOf, type Told } from '../packages/cli/src/bench/record.ts'
import type { ContenderResult, Run } from '../packages/cli/src/bench/rounds.ts'
import { type Spread, spread } from '../packages/cli/src/bench/stats.ts'
import type { Case } from './cases.ts'
import { type Judgement, judge, verdict } from './claims.ts'
import { bytes, ratio, seconds } from './units.ts'

export interface CaseResult {
  case: Case
  rounds: number
  results: ContenderResult[]
  /** Programs that were not found on this machine. */
  absent: string[]
}

/** Below this many bytes a case is not about bytes per second. */
const leastForRates = 1e6

export const judgements = ({ case: it, results }: CaseResult): Judgement[] =>
  it.claims.map(claim => judge(claim, results))

/** The line of a run; what only this benchmark knows comes behind what every one has. */
export function record(it: Case, run: Run, version: string, machine: Machine) {
  const { networkBytes, ...told } = toldBy(run)
  const about = { tool: run.contender, version, machine, scenario: it.id, bytes: it.bytes, files: it.files }
  return { ...recordOf(run, about, told), scaled: it.scaled ?? null, network_bytes: networkBytes ?? null }
}

/** What `arriero get --json` says of itself; peers say nothing of the kind. */
function toldBy({ program, stdout }: Run): Told & { networkBytes?: number } {
  const { timings, ...told }: Told & { networkBytes?: number; timings?: { verifyMs?: number } } =
    program === 'arriero' ? parsed(stdout) : {}
  const { retries, networkBytes } = told
  return {
    ...(retries === undefined ? {} : { retries }),
    ...(networkBytes === undefined ? {} : { networkBytes }),
    ...(timings?.verifyMs === undefined ? {} : { verifySeconds: timings.verifyMs / 1000 }),
  }
}

/** Lists are run with `--quiet` and `cat` gives bytes: then there is nothing to read. */
function parsed(text: string): object {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

export function csv(results: readonly CaseResult[]): string {
  const head =
    'scenario,tool,rounds,wall_median_s,wall_min_s,wall_max_s,gbit_s,cpu_median_s,cpu_s_per_gb,peak_rss_bytes,peak_connections,problem'
  const rows = results.flatMap(({ case: it, results }) =>
    results.map(({ label, runs, wall, cpu, rss, problems }) => [
      ...[it.id, label, runs.length, wall.median, wall.min, wall.max, (it.bytes * 8) / wall.median / 1e9],
      ...[cpu.median, it.bytes > 0 ? cpu.median / (it.bytes / 1e9) : '', rss.max],
      ...[runs[0]?.peakConnections ?? '', problems[0] ?? ''],
    ]),
  )
  return [head, ...rows.map(row => row.map(csvField).join(','))].join('\n').concat('\n')
}

function csvField(value: string | number): string {
  if (typeof value === 'number') return Number.isNaN(value) ? '' : String(Number(value.toPrecision(6)))
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

export function markdown(
  results: readonly CaseResult[],
  machine: Machine,
  versions: ReadonlyMap<string, string>,
): string {
  return [
    '# arriero get: benchmark',
    '',
    '| case | must | measured | verdict |',
    '|---|---|---|---|',
    ...results.flatMap(result => judgements(result).map(judgement => verdictRow(result, judgement))),
    '',
    ...notes(results),
    '',
    '![Times and memory](get.svg)',
    '',
    ...results.flatMap(caseTable),
    '## Where and with what',
    '',
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${bytes(machine.memoryBytes)}; ${machine.kernel}; ${machine.filesystem}`,
    `- ${[...versions].map(([program, version]) => `${program} ${version}`).join(', ')}`,
    '- Server and clients share the machine. Each run is a fresh process into a fresh directory, after a sync of the',
    '  filesystem; every output was compared with the original afterwards. Arriero and aria2 sync what they wrote, the others',
    '  do not. The cap on a connection is kept by the kernel (SO_MAX_PACING_RATE).',
    '- CPU is that of the client with its children; peak RSS is the largest single process, as the kernel counts it.',
    '- Peak connections were counted in the uncounted first run.',
    '',
    '### Commands',
    '',
    ...results.flatMap(({ results }) => results.flatMap(({ runs }) => (runs[0] ? [`    ${readable(runs[0])}`] : []))),
    '',
  ].join('\n')
}

/** As a user would type it; the JSON lines have it word for word. */
const readable = ({ command, directory }: Run) =>
  command.replaceAll(directory, '$DIR').replaceAll(`${nodePath} ${programPath}`, 'arriero')

function verdictRow({ case: it }: CaseResult, judgement: Judgement): string {
  const scale = it.scaled ? ` (scaled: ${it.scaled})` : ''
  const word = verdict(judgement)
  return `| ${it.title} | ${judgement.must} | ${judgement.measured} | ${judgement.isReached === false ? `**${word}**` : word}${scale} |`
}

function notes(results: readonly CaseResult[]): string[] {
  const few = results.filter(({ case: it, rounds }) => it.metric === 'time' && rounds < 5).map(({ case: it }) => it.id)
  const absent = [...new Set(results.flatMap(({ absent }) => absent))]
  const failed = results.flatMap(({ case: it, results }) =>
    results.flatMap(({ label, problems }) =>
      problems.map(problem => `- ${it.id}: ${label} is out: ${oneLine(problem)}`),
    ),
  )
  return [
    ...(few.length > 0 ? [`- Fewer than 5 rounds, so no verdict to rely on: ${few.join(', ')}.`] : []),
    ...(absent.length > 0 ? [`- Not found on this machine: ${absent.join(', ')}.`] : []),
    ...failed,
  ]
}

function caseTable({ case: it, rounds, results }: CaseResult): string[] {
  const ours = results.find(({ program }) => program === 'arriero')
  return [
    `## ${it.title}`,
    '',
    `${rounds} round${rounds === 1 ? '' : 's'}${it.scaled ? `, ${it.scaled}` : ''}.`,
    '',
    '| tool | median | min – max | Gbit/s | CPU s | CPU s/GB | peak RSS | conns | time ÷ ours, by round |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...results.map(result => toolRow(it, result, ours)),
    '',
  ]
}

function toolRow(it: Case, result: ContenderResult, ours: ContenderResult | undefined): string {
  const { label, runs, wall, cpu, rss, problems } = result
  if (problems.length > 0) return `| ${label} | failed | | | | | | | |`
  const perGB = it.bytes >= leastForRates ? (cpu.median / (it.bytes / 1e9)).toFixed(2) : ''
  const rate = it.bytes >= leastForRates ? ((it.bytes * 8) / wall.median / 1e9).toFixed(2) : ''
  const cells = [
    ...[label, seconds(wall.median), `${seconds(wall.min)} – ${seconds(wall.max)}`, rate, cpu.median.toFixed(2), perGB],
    ...[
      bytes(rss.max),
      String(runs[0]?.peakConnections || ''),
      ours && ours !== result ? shownRatios(ratios(result, ours)) : '',
    ],
  ]
  return `| ${cells.join(' | ')} |`
}

/** Round by round, because two runs that stood side by side shared the machine's mood. */
function ratios(result: ContenderResult, ours: ContenderResult): Spread {
  const ourWall = new Map(ours.runs.map(({ round, wallSeconds }) => [round, wallSeconds]))
  return spread(
    result.runs.flatMap(({ round, wallSeconds }) => (ourWall.has(round) ? [wallSeconds / ourWall.get(round)!] : [])),
  )
}

const shownRatios = ({ median, min, max }: Spread) =>
  Number.isNaN(median) ? '' : `${ratio(median)} (${ratio(min)} – ${ratio(max)})`

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')
