/**
 * `arriero serve` takes in files and trees in every way there is, and meets a fault at every durable call of every thread:
 * killed, EIO, ENOSPC, EMFILE (reliability 4 K and E, 5 "commit to store"); on both kinds of catalogue.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type CommitFault, descriptorsOf, threadsOf, trace } from './attach.ts'
import { checkDiskTrouble } from './disk-trouble.ts'
import { type Engine, openEngine } from './engines.ts'
import { checkCommitOrder } from './order.ts'
import { Place } from './place.ts'
import { type CommitPoint, isPossible, pointsOf, showPoint } from './points.ts'
import { sweepPoint } from './sweep-point.ts'
import { type CommitWorkload, commitWorkloads } from './workloads.ts'

export interface CommitSweepOptions {
  /** Points, spread over everything; undefined: all. */
  readonly count: number | undefined
  /** Points whose name contains this. */
  readonly only: string
  /** 0 to 1. */
  readonly random: () => number
  readonly laneCount: number
  /** Each point as it is made. */
  readonly isVerbose: boolean
  readonly scratch: string
  tell(group: GroupReport): void
}

export interface GroupReport {
  readonly name: string
  readonly passed: number
  readonly unreached: readonly string[]
  /** Point and what was wrong. */
  readonly failures: readonly (readonly [string, string])[]
  readonly note?: string
}

const commitFaults: readonly CommitFault[] = ['SIGKILL', 'EIO', 'ENOSPC', 'EMFILE']
/** After so many points that need no restart there is one, with everything that is judged only then. */
const pointsPerStart = 12
/** After so many the place begins anew. */
const pointsPerReset = 36
/** Which thread takes a task depends on timing. */
const triesPerPoint = 3

/** A point that is to be made, and the group that it is told with. */
interface Task {
  readonly group: string
  readonly workload: CommitWorkload
  readonly fault: CommitFault
  readonly point: CommitPoint
}

interface Result extends Task {
  readonly isReached: boolean
  readonly problems: readonly string[]
}

export async function sweepCommits(options: CommitSweepOptions): Promise<void> {
  for (const name of ['sqlite', 'postgres'] as const) {
    if (!mayConcern(`commit ${name} `, options.only)) continue
    await using engine = await openEngine(name)
    if (engine) await sweepEngine(engine, options)
  }
}

async function sweepEngine(engine: Engine, options: CommitSweepOptions): Promise<void> {
  const { scratch, laneCount, count, random, isVerbose, tell } = options
  const before = performance.now()
  await using lanes = new AsyncDisposableStack()
  const places: Place[] = []
  for (let lane = 0; lane < laneCount; lane++) {
    const home = join(scratch, `${engine.name}-${lane}`, 'home')
    mkdirSync(home, { recursive: true })
    places.push(lanes.use(await Place.open(home, engine)))
  }
  const all = await tasksOf(engine, places[0]!, options)
  const trouble = `commit ${engine.name} disk that fails twice`
  if (trouble.includes(options.only)) tell(reportOn(trouble, await checkDiskTrouble(places[0]!)))
  // Each of the two engines has half.
  const share = count === undefined ? 1 : Math.min(1, count / 2 / all.length)
  const queue = sample(all, share, random)
  const results: Result[] = []
  const failures: string[] = []
  await Promise.all(places.map(place => work(place, queue, { results, failures, isVerbose })))
  for (const group of new Set(all.map(({ group }) => group))) {
    const made = results.filter(result => result.group === group)
    if (made.length > 0) tell(reportOf(group, made))
  }
  const seconds = (performance.now() - before) / 1000
  const starts = places.reduce((sum, place) => sum + place.starts, 0)
  const note = `${results.length} of ${all.length} points, ${starts} starts, ${seconds.toFixed(1)} s`
  tell(reportOn(`commit ${engine.name} after restarts`, failures, note))
}

async function tasksOf(engine: Engine, place: Place, { only, tell }: CommitSweepOptions): Promise<Task[]> {
  const tasks: Task[] = []
  for (const workload of commitWorkloads) {
    if (!mayConcern(`commit ${engine.name} ${workload.name} `, only)) continue
    const { points, order } = await traceCleanRun(place, workload, engine)
    if (order) tell(order)
    for (const fault of commitFaults) {
      const group = `commit ${engine.name} ${workload.name} ${fault}`
      for (const point of points) {
        if (isPossible(fault, point) && `${group} ${showPoint(point)} `.includes(only))
          tasks.push({ group, workload, fault, point })
      }
    }
  }
  if (tasks.length === 0) console.log(`NOT RUN commit ${engine.name}: no point has this name: ${only}`)
  return tasks
}

interface CleanRun {
  readonly points: readonly CommitPoint[]
  readonly order: GroupReport | undefined
}

/** Every durable call that any thread makes for these uploads, and whether they come in the right order. */
async function traceCleanRun(place: Place, workload: CommitWorkload, engine: Engine): Promise<CleanRun> {
  if (workload.isFirst || !place.isRunning) await place.reset()
  if (!workload.isFirst) await place.warm(workload)
  const { pid } = place.librarian
  const [names, descriptors] = [threadsOf(pid), descriptorsOf(pid)]
  const sendings = place.newSendings(workload)
  const attached = await trace(pid, join(place.home, 'strace'), ['read', 'recvfrom'])
  await place.sendAll(workload, sendings)
  await attached[Symbol.asyncDispose]()
  const calls = attached.calls()
  const points = pointsOf(calls, names, place.data)
  if (points.length < 20)
    throw new Error(`only ${points.length} durable calls were seen: the trace is not to be trusted`)
  if (!workload.hasOneAnswer) return { points, order: undefined }
  const committed = sendings.map(({ upload }) => upload.name)
  const problems = checkCommitOrder(calls, { data: place.data, names: committed, engine: engine.name, descriptors })
  const name = `commit ${engine.name} ${workload.name} order`
  return { points, order: reportOn(name, problems, `${calls.length} calls`) }
}

interface Desk {
  readonly results: Result[]
  /** What was broken after a restart; by which of some points is not known. */
  readonly failures: string[]
  readonly isVerbose: boolean
}

async function work(place: Place, queue: Task[], { results, failures, isVerbose }: Desk): Promise<void> {
  let sinceStart: string[] = []
  const judgeAfterStart = async () => {
    if (sinceStart.length === 0) return
    await place.restart()
    const broken = await place.judge({ isSwept: true })
    failures.push(...broken.map(text => `${text}, after one of: ${sinceStart.join(' · ')}`))
    sinceStart = []
  }
  for (let done = 0, task = queue.shift(); task; done++, task = queue.shift()) {
    if (done % pointsPerReset === 0) {
      await judgeAfterStart()
      await place.reset()
    }
    const { workload, point, fault } = task
    const verdict = await reach(place, workload, point, fault)
    const outcome = verdict.problems.length > 0 ? 'FAIL' : verdict.isReached ? 'ok' : 'not reached'
    if (isVerbose) console.log(`  ${outcome} ${task.group} ${showPoint(point)} ${verdict.problems.join('; ')}`)
    results.push({ ...task, ...verdict })
    if (fault !== 'SIGKILL') sinceStart.push(`${task.group} ${showPoint(point)}`)
    if (sinceStart.length === pointsPerStart) await judgeAfterStart()
    // Whatever it is, the next point must not suffer from it.
    if (verdict.problems.length > 0) {
      await place.reset()
      sinceStart = []
    }
  }
  await judgeAfterStart()
}

async function reach(place: Place, workload: CommitWorkload, point: CommitPoint, fault: CommitFault) {
  for (let attempt = 1; ; attempt++) {
    const verdict = await sweepPoint(place, workload, point, fault)
    if (verdict.isReached || verdict.problems.length > 0 || attempt >= triesPerPoint) return verdict
  }
}

function reportOn(name: string, problems: readonly string[], note = 'checked'): GroupReport {
  const failures = problems.map((problem): [string, string] => ['', problem])
  return { name, passed: problems.length === 0 ? 1 : 0, unreached: [], failures, note }
}

function reportOf(name: string, results: readonly Result[]): GroupReport {
  const isBroken = ({ problems }: Result) => problems.length > 0
  return {
    name,
    passed: results.filter(result => result.isReached && !isBroken(result)).length,
    unreached: results.filter(result => !result.isReached && !isBroken(result)).map(({ point }) => showPoint(point)),
    failures: results.flatMap(({ point, problems }) =>
      problems.map((problem): [string, string] => [showPoint(point), problem]),
    ),
  }
}

/** One of each kind before a second of any: rare calls matter as much as the many that write a log. */
function sample(tasks: readonly Task[], share: number, random: () => number): Task[] {
  if (share >= 1) return [...tasks]
  const rounds = new Map<string, number>()
  const ranked = shuffle(tasks, random).map(task => {
    const kind = `${task.group} ${task.point.call} ${task.point.about}`
    const round = rounds.get(kind) ?? 0
    rounds.set(kind, round + 1)
    return { task, round }
  })
  const byRound = ranked.toSorted((a, b) => a.round - b.round)
  return byRound.slice(0, Math.ceil(tasks.length * share)).map(({ task }) => task)
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const keyed = items.map(item => ({ item, key: random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

/** Whether a name that begins so may contain the text. */
function mayConcern(beginning: string, only: string): boolean {
  return beginning.includes(only) || only.startsWith(beginning) || beginning.startsWith(only) || !/^commit\b/.test(only)
}
