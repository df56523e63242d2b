/**
 * Alternating rounds: every contender once per round, each round beginning with another one, so that drift and
 * leftovers of the previous run fall on all alike.
 *
 * Two facts shape this. ext4 is many times slower at creating files soon after many were deleted, so every run gets a
 * fresh directory, and a scenario of small files deletes them only at its end. And Arriero syncs what it wrote while most
 * peers do not, so each run waits until the disk is quiet: otherwise Arriero would pay for what its rivals left in the
 * cache.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, shown } from './command.ts'
import { watchConnections } from './connections.ts'
import type { Contender } from './contender.ts'
import { type Measurement, measure } from './measure.ts'
import { quietDisk } from './quiet-disk.ts'
import { type Spread, spread } from './stats.ts'

/** What the contenders are to do, and how it is checked that they did. */
export interface Scenario {
  readonly id: string
  /** Small files stay until the end. */
  readonly keepsOutputs: boolean
  /** Before each run, outside the timed region. */
  prepare?(directory: string): Promise<void>
  /** After each run, outside the timed region: `undefined` if all is right, else what is wrong. */
  check(directory: string, stdout: string, isWarmUp: boolean, contender: Contender): Promise<string | undefined>
}

/** One run, as it goes into the JSON lines. */
export interface Run extends Measurement {
  readonly contender: string
  readonly program: string
  /** From 1; 0 is the warm-up. */
  readonly round: number
  readonly command: string
  /** Where it wrote. */
  readonly directory: string
  /** Undefined where nobody could count them. */
  readonly peakConnections: number | undefined
  readonly filesBefore: number
  readonly filesAfter: number
}

export interface ContenderResult {
  label: string
  program: string
  runs: Run[]
  wall: Spread
  cpu: Spread
  rss: Spread
  /** Why it is out of the comparison: it failed, or its output was wrong. Empty when all is well. */
  problems: string[]
}

export interface RoundsOptions {
  rounds: number
  /** Empty; on the disk to be measured. */
  directory: string
  /** Connections to these are counted in the warm-up. Empty: they cannot be told from others. */
  serverPorts: ReadonlySet<number>
  /** A counted run. */
  onRun(run: Run): void
  /** A run that is left out with its contender; also one of the warm-up. */
  onProblem?(run: Run): void
  log(line: string): void
  /** How a command is written down. Default: word for word. */
  show?(command: Command): string
  /** Ends the run under way; the call rejects with its reason. */
  signal?: AbortSignal | undefined
  /** Asked before each run; false ends the rounds. */
  mayBegin?(): boolean
  /** Longest wait for a quiet disk before each run. Default: 20 s. */
  settleMs?: number | undefined
}

export async function runRounds(
  it: Scenario,
  contenders: readonly Contender[],
  options: RoundsOptions,
): Promise<ContenderResult[]> {
  const results = contenders.map(({ label, program }) => ({
    label,
    program,
    runs: [] as Run[],
    problems: [] as string[],
  }))
  const peakConnections = new Map<string, number | undefined>()
  const mayBegin = options.mayBegin ?? (() => true)

  for (const [index, contender] of contenders.entries()) {
    if (!mayBegin()) break
    const { run, connections } = await warmUp(it, contender, options)
    peakConnections.set(contender.label, connections)
    if (run.problem) {
      results[index]!.problems.push(run.problem)
      options.onProblem?.(run)
      options.log(`  ${contender.label}: left out, ${run.problem}`)
    }
  }

  for (let round = 1; round <= options.rounds; round++) {
    for (const index of turnsOf(round, contenders.length)) {
      const [contender, result] = [contenders[index]!, results[index]!]
      if (result.problems.length > 0) continue
      if (!mayBegin()) return results.map(summarise)
      const run = await runOnce(it, contender, String(round), options)
      const counted = { ...run, round, peakConnections: peakConnections.get(contender.label) }
      if (run.problem) {
        result.problems.push(run.problem)
        options.onProblem?.(counted)
        options.log(`  ${contender.label}: left out, ${run.problem}`)
      }
      result.runs.push(counted)
      options.onRun(counted)
    }
    const walls = results.map(({ label, runs, problems }) =>
      problems.length > 0 ? `${label} failed` : `${label} ${runs.at(-1)!.wallSeconds.toFixed(3)} s`,
    )
    options.log(`  round ${round}: ${walls.join(' · ')}`)
  }
  return results.map(summarise)
}

/** Each round begins with another one. */
function turnsOf(round: number, contenders: number): number[] {
  return Array.from({ length: contenders }, (_, turn) => (round - 1 + turn) % contenders)
}

function summarise(result: Omit<ContenderResult, 'wall' | 'cpu' | 'rss'>): ContenderResult {
  const { runs } = result
  return {
    ...result,
    wall: spread(runs.map(({ wallSeconds }) => wallSeconds)),
    cpu: spread(runs.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds)),
    rss: spread(runs.flatMap(({ peakRssBytes }) => peakRssBytes ?? [])),
  }
}

/** Uncounted: it warms the caches, proves what a counted run to /dev/null cannot, and counts connections. */
async function warmUp(it: Scenario, contender: Contender, options: RoundsOptions) {
  const watch = options.serverPorts.size > 0 ? watchConnections(options.serverPorts) : undefined
  try {
    const command = contender.warmUp ?? contender.command
    const run = await runOnce(it, { ...contender, command }, 'warm-up', options)
    // None at all were too short-lived to be seen.
    return { run, connections: watch?.peak() || undefined }
  } finally {
    watch?.stop()
  }
}

async function runOnce(it: Scenario, contender: Contender, name: string, options: RoundsOptions): Promise<Run> {
  const around = join(options.directory, safe(it.id), safe(contender.label), name)
  const directory = join(around, 'out')
  await mkdir(directory, { recursive: true })
  await it.prepare?.(directory)
  const filesBefore = (await readdir(directory)).length
  await quietDisk(directory, options)

  const command = contender.command(directory)
  const measured = await measure(command, join(around, 'used'), options)

  const filesAfter = (await readdir(directory)).length
  const problem = measured.problem ?? (await it.check(directory, measured.stdout, name === 'warm-up', contender))
  if (!it.keepsOutputs) await rm(around, { recursive: true })
  if (problem) await writeFile(join(options.directory, 'last-problem.txt'), `${shown(command)}\n${problem}\n`)
  const { label, program } = contender
  const show = options.show ?? shown
  return {
    ...measured,
    problem,
    contender: label,
    program,
    round: 0,
    command: show(command),
    directory,
    peakConnections: undefined,
    filesBefore,
    filesAfter,
  }
}

const safe = (name: string) => name.replaceAll(/[^\w.-]+/g, '_').slice(0, 80)
