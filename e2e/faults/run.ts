/**
 * `npm run test:faults [-- --quick] [-- --only TEXT]`: `arriero get` is killed at every durable system call, given EIO
 * and ENOSPC at every one, and run again each time; and the order of its syncs is checked (reliability 4 K, E, O). So is
 * `arriero serve` while it takes uploads in; and it must answer in time on a slow disk.
 *
 *     --quick    every fifth point; of commits 100
 *     --commits N   N points of commits, spread over everything; the seed chooses
 *     --cuts N   power cuts; default 60
 *     --only     groups whose name, such as `many EIO unlink`, contains TEXT; of commits, points
 *     --seed N   of an earlier run
 *     --verbose  each point as it is made
 *     --strict   fails where nothing could be run
 *
 * Prints a line for each group, `FAIL POINT: why` for each point that failed, or `NOT RUN NAME: why`.
 */
import { rmSync } from 'node:fs'
import { chmod, mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { killAndResume, randomFrom } from '../run-kills.ts'
import type { Call } from './calls.ts'
import { cutPower, whyNoPowerCut } from './commit/power.ts'
import { type GroupReport, sweepCommits } from './commit/sweep.ts'
import { Lane, type Point, showPoint } from './lane.ts'
import { checkOrder, rowsOn } from './order.ts'
import { checkSlowDisk } from './slow-disk.ts'
import { type Fault, whyNoStrace } from './strace.ts'
import { sweepPoint, type Verdict } from './sweep.ts'
import { makeWorkloads, type Workload } from './workloads.ts'

/** One for each core of the smallest machine that this is meant for. */
const laneCount = 2
const faults: readonly Fault[] = ['SIGKILL', 'EIO', 'ENOSPC']
/** A call that depends on timing may not come in every run. */
const triesPerPoint = 3

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    commits: { type: 'string' },
    cuts: { type: 'string' },
    strict: { type: 'boolean', default: false },
    seed: { type: 'string', default: process.env.ARRIERO_SEED ?? String(Math.floor(Math.random() * 1e6)) },
  },
})
const tally = { passed: 0, failed: 0, notReached: 0 }
const scratch = await mkdtemp(join(tmpdir(), 'arriero-faults-'))
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
// What killed programs leave among the temporary files goes with the rest.
// A server that gives up root's rights (PostgreSQL) must still reach its own folder below.
await chmod(scratch, 0o755)
process.env.TMPDIR = scratch
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const workloads = makeWorkloads(Number(values.seed))
const noStrace = whyNoStrace()
let notRun = 0
if (noStrace !== undefined) {
  for (const name of [...workloads.map(({ name }) => name), 'commit', 'slow disk']) {
    console.log(`NOT RUN ${name}: ${noStrace}`)
    notRun++
  }
} else {
  console.log(`seed ${values.seed}`)
  const first = /^(commit|pipeline|power|slow)\b/.exec(values.only)?.[0]
  for (const workload of first === undefined ? workloads : []) await runWorkload(workload)
  if (first === undefined || first === 'commit')
    await sweepCommits({
      count: values.commits === undefined ? (values.quick ? 100 : undefined) : Number(values.commits),
      only: values.only,
      random: randomFrom(Number(values.seed)),
      laneCount,
      isVerbose: values.verbose,
      scratch,
      tell: tellCommits,
    })
}
await runPowerCuts()
await runSlowDisk()
await runKills()
const notReached = tally.notReached > 0 ? `, ${tally.notReached} not reached` : ''
console.log(`${tally.passed} passed, ${tally.failed} failed${notReached}${notRun > 0 ? `, ${notRun} not run` : ''}`)
process.exitCode = tally.failed > 0 || (values.strict && notRun > 0) ? 1 : 0

/** Calls are answered in time while every sync waits (reliability 5). */
async function runSlowDisk(): Promise<void> {
  const name = 'slow disk'
  if (noStrace !== undefined || !name.includes(values.only)) return
  const { problems, summary } = await checkSlowDisk(join(scratch, 'slow-disk'))
  tell(name, problems, summary)
}

/** What was acknowledged survives a disk that stops at any instant (reliability 4 P). */
async function runPowerCuts(): Promise<void> {
  const name = 'power cuts sqlite'
  if (!name.includes(values.only)) return
  const reason = await whyNoPowerCut(scratch)
  if (reason !== undefined) {
    console.log(`NOT RUN ${name}: ${reason}`)
    notRun++
    return
  }
  const count = Number(values.cuts ?? (values.quick ? 10 : 60))
  const random = randomFrom(Number(values.seed))
  const report = await cutPower({ count, random, scratch, isVerbose: values.verbose })
  const { failures, cuts, acknowledged, seconds } = report
  tell(name, failures, `${cuts} cuts, ${acknowledged} uploads acknowledged, ${seconds.toFixed(1)} s`)
}

/** A pipeline is killed at random instants and run again (reliability A3). */
async function runKills(): Promise<void> {
  const name = 'pipeline SIGKILL'
  if (!name.includes(values.only)) return
  const folder = join(scratch, 'pipeline')
  await mkdir(folder)
  const { kills, problems } = await killAndResume(folder, values.quick ? 10 : 50, randomFrom(Number(values.seed)))
  tell(name, problems, `${kills} kills, seed ${values.seed}`)
}

async function runWorkload(workload: Workload): Promise<void> {
  const lanes: Lane[] = []
  try {
    for (let index = 0; index < laneCount; index++) {
      lanes.push(await Lane.open(join(scratch, `${workload.name}-${index}`), workload, lanes[0]))
    }
    const points = await checkOrders(lanes[0]!, workload)
    for (const fault of faults) {
      for (const [call, group] of groupBy(points, ({ call }) => call)) {
        if (call === 'close' && (fault === 'SIGKILL' || !workload.isCloseSwept)) continue
        const name = `${workload.name} ${fault} ${call}`
        if (name.includes(values.only)) await runGroup(name, group, fault, workload, lanes)
      }
    }
  } finally {
    for (const lane of lanes) await lane[Symbol.asyncDispose]()
  }
}

/** Checks the order of the calls in a clean run, and in one that follows a kill; returns the clean run's points. */
async function checkOrders(lane: Lane, workload: Workload): Promise<Point[]> {
  lane.reset()
  const points = lane.pointsOf(await checkOneOrder(`${workload.name} order`, lane, workload))
  // Names are visible and their directory is not synced: a run that finds them must not take them for durable.
  const isNamed = ({ call, path }: Point) => call === 'fsync' && /(^|\/)(out|even|odd)$/.test(path)
  const point = points.find(isNamed)
  if (!point) throw new Error(`${workload.name} never syncs a directory`)
  lane.reset()
  await lane.runFaulted(lane.targetOf(point), 'SIGKILL')
  await checkOneOrder(`${workload.name} order after a kill`, lane, workload)
  return points
}

async function checkOneOrder(name: string, lane: Lane, workload: Workload): Promise<readonly Call[]> {
  const { home, stdout, target, left } = lane
  const { ended, calls } = await lane.runTraced()
  if (ended.code !== 0) throw new Error(`${workload.name} fails without any fault: ${ended.stderr}`)
  const names = [...workload.files.keys()].map(file => join(target, file))
  const acknowledged = workload.hasRows ? rowsOn(stdout) : undefined
  const problems = checkOrder(calls, { home, names, acknowledged, left })
  tell(name, problems, `${calls.length} calls`)
  return calls
}

async function runGroup(
  name: string,
  points: readonly Point[],
  fault: Fault,
  workload: Workload,
  lanes: readonly Lane[],
): Promise<void> {
  const queue = values.quick ? points.filter((_, index) => index % 5 === 0) : [...points]
  const before = performance.now()
  const [count, failures, unreached]: [number, string[], string[]] = [queue.length, [], []]
  let refetched = 0
  const work = async (lane: Lane) => {
    for (let point = queue.shift(); point; point = queue.shift()) {
      const verdict = await reach(lane, workload, point, fault)
      refetched = Math.max(refetched, verdict.refetched)
      if (!verdict.isReached) unreached.push(showPoint(point))
      for (const problem of verdict.problems) failures.push(`${showPoint(point)}: ${problem}`)
      if (verdict.problems.length > 0) tally.failed++
      else if (verdict.isReached) tally.passed++
      else tally.notReached++
      if (values.verbose) console.log(`  ${showPoint(point)} ${verdict.problems.length > 0 ? 'FAIL' : 'ok'}`)
    }
  }
  await Promise.all(lanes.map(work))
  const seconds = ((performance.now() - before) / 1000).toFixed(1)
  const notes = [
    `${count} points`,
    ...(refetched > 0 ? [`at most ${refetched} bytes fetched twice`] : []),
    ...(unreached.length > 0 ? [`${unreached.length} not reached: ${unreached.slice(0, 3).join(', ')}`] : []),
    `${seconds} s`,
  ]
  console.log(`${failures.length > 0 ? 'FAIL' : 'ok'} ${name}: ${notes.join(', ')}`)
  for (const failure of failures) console.log(`  FAIL ${failure}`)
}

async function reach(lane: Lane, workload: Workload, point: Point, fault: Fault): Promise<Verdict> {
  for (let attempt = 1; ; attempt++) {
    const verdict = await sweepPoint(lane, workload, point, fault)
    if (verdict.isReached || verdict.problems.length > 0 || attempt >= triesPerPoint) return verdict
  }
}

function tell(name: string, problems: readonly string[], note: string): void {
  if (problems.length > 0) tally.failed++
  else tally.passed++
  console.log(`${problems.length > 0 ? 'FAIL' : 'ok'} ${name}: ${note}`)
  for (const problem of problems) console.log(`  FAIL ${problem}`)
}

function tellCommits({ name, passed, unreached, failures, note }: GroupReport): void {
  const failed = new Set(failures.map(([point]) => point))
  tally.passed += passed
  tally.failed += failed.size
  tally.notReached += unreached.length
  const missed = unreached.length > 0 ? `, ${unreached.length} not reached: ${unreached.slice(0, 3).join(', ')}` : ''
  const count = passed + failed.size + unreached.length
  console.log(`${failed.size > 0 ? 'FAIL' : 'ok'} ${name}: ${note ?? `${count} points`}${missed}`)
  for (const [point, problem] of failures) console.log(`  FAIL ${point}: ${problem}`.replace(' : ', ' '))
  for (const point of failed)
    if (point !== '') console.log(`  again: npm run test:faults -- --only '${name} ${point} '`)
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  return groups
}
