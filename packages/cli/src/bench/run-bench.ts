/** `arriero bench`: plans, says what it will move, measures, and prints what came out. */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Context, printJson, printLine, warn } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeReason } from '../system-error.ts'
import { printable } from '../text.ts'
import { formatDuration, formatSize } from '../units.ts'
import { version } from '../version.ts'
import { type BenchFlags, type BenchRequest, readBenchRequest } from './bench-flags.ts'
import { benchLog } from './bench-log.ts'
import { executePlan } from './execute.ts'
import { type Group, groupRecords } from './groups.ts'
import { describeMachine } from './machine.ts'
import { formatRecords } from './output.ts'
import { findPrograms } from './peers.ts'
import { commandLines, type Plan, planBench, planLines } from './plan.ts'
import { recommend } from './recommend.ts'
import type { BenchRecord } from './record.ts'
import { drawRecords } from './report.ts'
import { openResults } from './results-file.ts'
import { askSubjects, localSubjects } from './subjects.ts'
import { seconds } from './tables.ts'

const usualRounds = 5
const usualMaxMs = 600_000

export async function runBench(operands: readonly string[], flags: BenchFlags, context: Context): Promise<number> {
  const request = await readBenchRequest(operands, flags)
  const log = benchLog(flags, context)
  using results = flags.output === undefined ? undefined : openResults(flags.output)
  using scratch = makeScratch(request.to === 'file' ? (flags.dir ?? '.') : tmpdir())
  await using servers = new AsyncDisposableStack()
  const { plan, versions } = await prepare(request, flags, context, { directory: scratch.path, servers })
  if (flags.dryRun) return showPlan(plan, context)
  if (request.to === 'file') requireSpace(Math.max(...plan.scenarios.map(({ bytes }) => bytes)), scratch.path)
  for (const line of planLines(plan)) say(context, line)

  const records: BenchRecord[] = []
  const bound = timeBound(flags.maxTime ?? usualMaxMs)
  context.onInterrupt = () =>
    flags.output === undefined ? 'What was measured is above.' : `What was measured is in ${flags.output}.`
  let isWhole: boolean
  try {
    isWhole = await executePlan(plan, {
      directory: join(scratch.path, 'runs'),
      versions,
      machine: await describeMachine(scratch.path),
      signal: AbortSignal.any([context.signal, bound.signal]),
      maxBytes: flags.maxBytes,
      onRecord(record, { done, total }) {
        records.push(record)
        results?.add(record)
        log.measured(record)
        if (context.flags.json) printJson(context, record)
        say(context, runLine(record, done, total))
      },
      onProblem(label, problem) {
        log.leftOut(label, problem)
        if (!context.flags.json) context.say(context.style.red(`LEFT OUT ${printable(`${label}: ${problem}`)}`))
      },
    })
  } catch (error) {
    if (!bound.signal.aborted || context.signal.aborted) {
      await conclude(records, request, flags, context, { isInterrupted: true })
      throw error
    }
    isWhole = false
    warn(context, `the time of --max-time is over: ${records.length} runs were counted.`)
  } finally {
    bound.clear()
  }
  if (!isWhole && !bound.signal.aborted) warn(context, 'the bytes of --max-bytes are used up.')
  await conclude(records, request, flags, context, { isInterrupted: false })
  return exitCodeOf(groupRecords(records), plan)
}

interface Ground {
  readonly directory: string
  readonly servers: AsyncDisposableStack
}

async function prepare(request: BenchRequest, flags: BenchFlags, context: Context, { directory, servers }: Ground) {
  const { urls, targets, args, peers, configurations, to } = request
  const { signal } = context
  const found = await findPrograms(peers)
  if (to === 'file' && flags.size !== undefined) requireSpace(flags.size, directory)
  const subjects =
    urls.length > 0
      ? await askSubjects(urls, args, context)
      : await localSubjects(targets, {
          size: flags.size,
          directory,
          signal,
          args,
          servers,
          say: line => say(context, line),
        })
  if (subjects.length === 0) throw new ProgramError('Unsupported', 'None of the local targets can be had here.')
  const plan = planBench(subjects, {
    to,
    rounds: flags.repeat ?? usualRounds,
    configurations,
    args,
    peers: new Map(peers.map(peer => [peer, found.get(peer)])),
  })
  return { plan, versions: new Map<string, string>([['arriero', version], ...found]) }
}

function showPlan(plan: Plan, context: Context): number {
  if (context.flags.json) {
    const scenarios = plan.scenarios.map(({ scenario, bytes, contenders, absent }) => ({
      ...{ scenario, bytes, absent },
      contenders: contenders.map(({ contender }) => contender.label),
    }))
    printJson(context, { ...plan, scenarios })
    return exitCodes.ok
  }
  for (const line of [...planLines(plan), '', ...commandLines(plan)]) printLine(context, printable(line))
  return exitCodes.ok
}

/** On the disk that is measured; gone at the end, whatever the end is. */
function makeScratch(directory: string): Disposable & { readonly path: string } {
  let path: string
  try {
    path = mkdtempSync(join(resolve(directory), '.arriero-bench-'))
  } catch (error) {
    throw new ProgramError('Disk', `Cannot write in ${directory}: ${writeReason(error)}`, {
      remedy: 'Name a directory with --dir.',
      cause: error,
    })
  }
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  // Whoever presses Ctrl-C twice leaves at once.
  process.once('exit', remove)
  return {
    path,
    [Symbol.dispose]() {
      process.off('exit', remove)
      remove()
    },
  }
}

/** Runs are removed one by one: the largest file has to fit, and what the file system needs besides. */
function requireSpace(largest: number, directory: string): void {
  const needed = largest * 1.05
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize >= needed) return
  const message = `Cannot measure here: a run needs ${formatSize(needed)}, and ${formatSize(bavail * bsize)} are free.`
  throw new ProgramError('NoSpace', message, { remedy: 'Name another disk with --dir, or write none with --to null.' })
}

function timeBound(ms: number) {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new Error(`ended after ${formatDuration(ms)}`)), ms)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}

function say({ flags, say }: Context, line: string): void {
  if (!flags.quiet && !flags.json) say(printable(line))
}

/** `[12/42] arriero 4 × 8MiB  412 ms  5.21 Gbit/s` */
function runLine({ tool, configuration, round, wall_seconds, ...rest }: BenchRecord, done: number, total: number) {
  const name = configuration ? `${tool} ${configuration.name}` : tool
  const rate = rest.is_right ? `${rest.effective_gbit_per_second.toFixed(2)} Gbit/s` : 'not counted'
  const number = `[${String(done).padStart(String(total).length)}/${total}]`
  return `${number} round ${round}  ${name.padEnd(20)}  ${seconds(wall_seconds).padStart(8)}  ${rate}`
}

async function conclude(
  records: readonly BenchRecord[],
  { args }: BenchRequest,
  flags: BenchFlags,
  context: Context,
  { isInterrupted }: { readonly isInterrupted: boolean },
): Promise<void> {
  if (records.length === 0) return
  const { stdout } = context.terminal
  if (context.flags.json) {
    if (!isInterrupted) printJson(context, { recommendation: recommendationRow(groupRecords(records)) })
  } else if (!isInterrupted || flags.output === undefined) {
    stdout.write(formatRecords(records, flags.format ?? 'table', { columns: stdout.columns, args }))
  }
  if (flags.plot !== undefined) await drawRecords(flags.plot, records)
}

function recommendationRow(groups: readonly Group[]) {
  return [...Map.groupBy(groups, ({ scenario }) => scenario)].map(([scenario, members]) => {
    const found = recommend(members)
    const { configuration, gbitPerSecond } = found?.group ?? {}
    return {
      scenario,
      configuration: configuration ?? null,
      median_gbit_per_second: gbitPerSecond?.median ?? null,
      is_noise: found?.isAllNoise ?? null,
    }
  })
}

/** A contender of ours that failed is a failure; a peer that failed is a finding. */
function exitCodeOf(groups: readonly Group[], { scenarios }: Plan): number {
  const measured = groups.filter(({ tool, problem }) => tool === 'arriero' && problem === null).length
  const wanted = scenarios.flatMap(({ contenders }) => contenders.filter(({ configuration }) => configuration)).length
  return measured === wanted ? exitCodes.ok : exitCodes.someFailed
}
