/**
 * `npm run test:faults [-- --quick] [-- --only TEXT]`: `arriero get` is killed at every durable system call, given EIO
 * and ENOSPC at every one, and run again each time; and the order of its syncs is checked (reliability 4 K, E, O). So is
 * `arriero serve` while it commits uploads.
 *
 *     --quick    every fifth point; of commits every 25th
 *     --commits-every N   every Nth point of commits
 *     --only     groups whose name, such as `many EIO unlink`, contains TEXT
 *     --verbose  each point as it is made
 *     --strict   fails where nothing could be run
 *
 * Prints a line for each group, `FAIL POINT: why` for each point that failed, or `NOT RUN NAME: why`.
 */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { killAndResume, randomFrom } from '../run-kills.ts'
import type { Call } from './calls.ts'
import { sweepCommits } from './commit/sweep.ts'
import { Lane, type Point, showPoint } from './lane.ts'
import { checkOrder } from './order.ts'
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
    'commits-every': { type: 'string' },
    strict: { type: 'boolean', default: false },
    seed: { type: 'string', default: process.env.ARRIERO_SEED ?? String(Math.floor(Math.random() * 1e6)) },
  },
})
const tally = { passed: 0, failed: 0, notReached: 0 }
const scratch = await mkdtemp(join(tmpdir(), 'arriero-faults-'))
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const workloads = makeWorkloads(Number(values.seed))
const noStrace = whyNoStrace()
if (noStrace !== undefined) {
  for (const { name } of workloads) console.log(`NOT RUN ${name}: ${noStrace}`)
} else {
  console.log(`seed ${values.seed}`)
  for (const workload of workloads) await runWorkload(workload)
  await sweepCommits({
    faults,
    step: Number(values['commits-every'] ?? (values.quick ? 25 : 1)),
    only: values.only,
    isVerbose: values.verbose,
    tell,
  })
}
await runKills()
const notReached = tally.notReached > 0 ? `, ${tally.notReached} not reached` : ''
const notRun = noStrace === undefined ? '' : `, ${workloads.length} not run`
console.log(`${tally.passed} passed, ${tally.failed} failed${notReached}${notRun}`)
process.exitCode = tally.failed > 0 || (values.strict && noStrace !== undefined) ? 1 : 0

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
  const problems = checkOrder(calls, { home, stdout, names, hasRows: workload.hasRows, left })
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

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  return groups
}
