/**
 * `npm run test:faults [-- --quick] [-- --only TEXT]`: `arriero get` is killed at every durable system call, given EIO
 * and ENOSPC at every one, and run again each time; and the order of its syncs is checked (reliability 4 K, E, O). So is
 * `arriero serve` while it takes uploads in, fetches clones and the files of jobs, repairs and deletes; and it must answer in
 * time on a slow disk. Three librarians that send to each other are killed at random.
 *
 *     --quick    every fifth point; of commits 100
 *     --commits N   N points of commits, spread over everything; the seed chooses
 *     --rebuilds N, --deletions N, --clones N, --repairs N, --ingests N   as many of those
 *     --cuts N   power cuts; default 80
 *     --model N  steps of the deletion model (`deletions-model`); default 100,000, of --quick 3,000
 *     --damages N   of copies at rest; default 10,000
 *     --kills N   of servers in the world of three librarians and a carried disk (`world`); default 200, of --quick 24
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
import { sweepServers } from './commit/sweep.ts'
import type { GroupReport } from './commit/sweep-tasks.ts'
import { Lane, type Point, showPoint } from './lane.ts'
import { type LongerTest, longerTests } from './longer-tests.ts'
import { checkOrder, rowsOn } from './order.ts'
import { runTest } from './run-test.ts'
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
    rebuilds: { type: 'string' },
    deletions: { type: 'string' },
    clones: { type: 'string' },
    repairs: { type: 'string' },
    ingests: { type: 'string' },
    cuts: { type: 'string' },
    model: { type: 'string' },
    damages: { type: 'string' },
    kills: { type: 'string' },
    strict: { type: 'boolean', default: false },
    seed: { type: 'string', default: process.env.ARRIERO_SEED ?? String(Math.floor(Math.random() * 1e6)) },
  },
})
const tallies = new Map<string, { passed: number; failed: number; notReached: number }>()
const scratch = await mkdtemp(join(tmpdir(), 'arriero-faults-'))
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
// What killed programs leave among the temporary files goes with the rest.
// A server that gives up root's rights (PostgreSQL) must still reach its own folder below.
await chmod(scratch, 0o755)
process.env.TMPDIR = scratch
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
process.once('SIGHUP', () => process.exit(129))

const workloads = makeWorkloads(Number(values.seed))
const noStrace = whyNoStrace()
let notRun = 0
if (noStrace !== undefined) {
  for (const name of [...workloads.map(({ name }) => name), 'commit', 'clone', 'repair', 'ingest', 'slow disk']) {
    console.log(`NOT RUN ${name}: ${noStrace}`)
    notRun++
  }
} else {
  console.log(`seed ${values.seed}`)
  const first =
    /^(deletions-model|commit|rebuild|deletion|clone|repair|ingest|pipeline|power|rot|slow|store|world)\b/.exec(
      values.only,
    )?.[0]
  for (const workload of first === undefined ? workloads : []) await runWorkload(workload)
  if (first === undefined || /^(commit|rebuild|deletion|clone|repair|ingest)$/.test(first))
    await sweepServers({
      counts: {
        commit: countOf(values.commits, 100),
        rebuild: countOf(values.rebuilds, 20),
        deletion: countOf(values.deletions, 40),
        clone: countOf(values.clones, 24),
        repair: countOf(values.repairs, 16),
        ingest: countOf(values.ingests, 16),
      },
      only: values.only,
      random: randomFrom(Number(values.seed)),
      laneCount,
      isVerbose: values.verbose,
      scratch,
      tell: tellCommits,
    })
}
await runPowerCuts('sqlite')
await runPowerCuts('postgres')
await runSlowDisk()
await runKills()
const { quick: isQuick, seed, model: steps, damages, kills } = values
for (const each of longerTests({ isQuick, seed, steps, damages, kills })) await runLonger(each)
const total = { passed: 0, failed: 0, notReached: 0 }
for (const [kind, { passed, failed, notReached }] of tallies) {
  console.log(`of ${kind}: ${passed} passed, ${failed} failed, ${notReached} not reached`)
  total.passed += passed
  total.failed += failed
  total.notReached += notReached
}
const unreached = total.notReached > 0 ? `, ${total.notReached} not reached` : ''
console.log(`${total.passed} passed, ${total.failed} failed${unreached}${notRun > 0 ? `, ${notRun} not run` : ''}`)
process.exitCode = total.failed > 0 || (values.strict && notRun > 0) ? 1 : 0

/** Undefined: all. */
function countOf(wanted: string | undefined, quick: number): number | undefined {
  if (wanted !== undefined) return Number(wanted)
  return values.quick ? quick : undefined
}

/** Calls are answered in time while every sync waits (reliability 5). */
async function runSlowDisk(): Promise<void> {
  const name = 'slow disk'
  if (noStrace !== undefined || !name.includes(values.only)) return
  const { problems, summary } = await checkSlowDisk(join(scratch, 'slow-disk'))
  tell(name, problems, summary)
}

/** What was acknowledged survives a disk that stops at any instant (reliability 4 P). */
async function runPowerCuts(engine: 'sqlite' | 'postgres'): Promise<void> {
  const name = `power cuts ${engine}`
  if (!name.includes(values.only)) return
  const notHere = (reason: string) => {
    console.log(`NOT RUN ${name}: ${reason}`)
    notRun++
  }
  const reason = await whyNoPowerCut(scratch)
  if (reason !== undefined) return notHere(reason)
  // Each of the two has half.
  const count = Math.ceil(Number(values.cuts ?? (values.quick ? 10 : 80)) / 2)
  const random = randomFrom(Number(values.seed))
  const report = await cutPower({ engine, count, random, scratch, isVerbose: values.verbose })
  if (!report) return notHere('its database cannot run here')
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

async function runLonger({ name, file, title, env, note }: LongerTest): Promise<void> {
  if (!name.includes(values.only)) return
  const before = performance.now()
  const problems = await runTest(file, title, env)
  tell(name, problems, `${note}, ${secondsSince(before)} s`)
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
  tell(name, problems, `${calls.length} calls`, 'download')
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
      const tally = tallyOf('download')
      if (verdict.problems.length > 0) tally.failed++
      else if (verdict.isReached) tally.passed++
      else tally.notReached++
      if (values.verbose) console.log(`  ${showPoint(point)} ${verdict.problems.length > 0 ? 'FAIL' : 'ok'}`)
    }
  }
  await Promise.all(lanes.map(work))
  const seconds = secondsSince(before)
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

function secondsSince(before: number): string {
  return ((performance.now() - before) / 1000).toFixed(1)
}

function tallyOf(kind: string) {
  const tally = tallies.get(kind) ?? { passed: 0, failed: 0, notReached: 0 }
  tallies.set(kind, tally)
  return tally
}

/** @param kind Default: the first word of the name */
function tell(name: string, problems: readonly string[], note: string, kind = name.split(' ')[0]!): void {
  const tally = tallyOf(kind)
  if (problems.length > 0) tally.failed++
  else tally.passed++
  console.log(`${problems.length > 0 ? 'FAIL' : 'ok'} ${name}: ${note}`)
  for (const problem of problems) console.log(`  FAIL ${problem}`)
}

function tellCommits({ kind, name, passed, unreached, failures, note }: GroupReport): void {
  const tally = tallyOf(kind)
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
