/**
 * Alternating rounds: every contender once per round, each round beginning with another one, so that drift and
 * leftovers of the previous run fall on all alike.
 *
 * Two facts shape this. ext4 is many times slower at creating files soon after many were deleted, so every run gets a
 * fresh directory and small files are deleted after the last case only. And Arriero syncs what it wrote while most peers
 * do not, so each run waits until the disk is quiet: otherwise Arriero would pay for what its rivals left in the cache.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Case } from './cases.ts'
import { watchConnections } from './connections.ts'
import { type Measurement, measure, shown } from './measure.ts'
import type { Contender, Program } from './peers.ts'
import { quietDisk } from './quiet-disk.ts'
import { type Spread, spread } from './stats.ts'

/** One counted run, as it goes into the JSON lines. */
export interface Run extends Measurement {
  contender: string
  program: Program
  round: number
  command: string
  /** Where it wrote. */
  directory: string
  peakConnections: number | undefined
  filesBefore: number
  filesAfter: number
}

export interface ContenderResult {
  label: string
  program: Program
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
  serverPorts: ReadonlySet<number>
  onRun(run: Run): void
  log(line: string): void
}

export async function runRounds(it: Case, contenders: readonly Contender[], options: RoundsOptions) {
  const results = contenders.map(({ label, program }) => ({
    label,
    program,
    runs: [] as Run[],
    problems: [] as string[],
  }))
  const peakConnections = new Map<string, number>()

  for (const [index, contender] of contenders.entries()) {
    const { run, connections } = await warmUp(it, contender, options)
    peakConnections.set(contender.label, connections)
    if (run.problem) {
      results[index]!.problems.push(run.problem)
      options.log(`  ${contender.label}: left out, ${run.problem}`)
    }
  }

  for (let round = 1; round <= options.rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (round - 1 + turn) % contenders.length
      const [contender, result] = [contenders[index]!, results[index]!]
      if (result.problems.length > 0) continue
      const run = await runOnce(it, contender, String(round), options)
      const counted = { ...run, round, peakConnections: peakConnections.get(contender.label) }
      result.runs.push(counted)
      if (run.problem) result.problems.push(run.problem)
      options.onRun(counted)
    }
    const walls = results.map(({ label, runs, problems }) =>
      problems.length > 0 ? `${label} failed` : `${label} ${runs.at(-1)!.wallSeconds.toFixed(3)} s`,
    )
    options.log(`  round ${round}: ${walls.join(' · ')}`)
  }
  return results.map(summarise)
}

function summarise(result: Omit<ContenderResult, 'wall' | 'cpu' | 'rss'>): ContenderResult {
  const { runs } = result
  return {
    ...result,
    wall: spread(runs.map(({ wallSeconds }) => wallSeconds)),
    cpu: spread(runs.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds)),
    rss: spread(runs.map(({ peakRssBytes }) => peakRssBytes)),
  }
}

/** Uncounted: it warms the caches, proves what a counted run to /dev/null cannot, and counts connections. */
async function warmUp(it: Case, contender: Contender, options: RoundsOptions) {
  const watch = watchConnections(options.serverPorts)
  const command = contender.warmUp ?? contender.command
  const run = await runOnce(it, { ...contender, command }, 'warm-up', options)
  return { run, connections: watch.stop() }
}

async function runOnce(it: Case, contender: Contender, name: string, options: RoundsOptions) {
  const around = join(options.directory, it.id, contender.label.replaceAll(/[^\w.-]+/g, '_'), name)
  const directory = join(around, 'out')
  await mkdir(directory, { recursive: true })
  await it.prepare?.(directory)
  const filesBefore = (await readdir(directory)).length
  await quietDisk(directory)

  const command = contender.command(directory)
  const measured = await measure(command, join(around, 'used'))

  const filesAfter = (await readdir(directory)).length
  const problem = measured.problem ?? (await it.check(directory, measured.stdout, name === 'warm-up'))
  if (!it.keepsOutputs) await rm(around, { recursive: true })
  if (problem) await writeFile(join(options.directory, 'last-problem.txt'), `${shown(command)}\n${problem}\n`)
  const { label, program } = contender
  return {
    ...measured,
    problem,
    contender: label,
    program,
    round: 0,
    command: shown(command),
    directory,
    filesBefore,
    filesAfter,
  }
}
