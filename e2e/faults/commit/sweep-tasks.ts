/**
 * `arriero serve` meets a fault at every durable call of every thread: killed, EIO, ENOSPC, EMFILE (reliability 4 K and E, 5
 * "commit to store"); on both kinds of catalogue. Three kinds of points:
 *
 *     commit    it takes in files and trees in every way there is, and is started again after a kill
 *     rebuild   the same kills; then its catalogue is lost, and made again from the stores (reliability G1)
 *     deletion  copies go into the trash, come back, and are purged (reliability B2, 8.12)
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type CommitFault, descriptorsOf, threadsOf, trace } from './attach.ts'
import { openCopies, whyNoSecondDevice } from './copies.ts'
import { checkDiskTrouble } from './disk-trouble.ts'
import { type Engine, openEngine } from './engines.ts'
import { checkCommitOrder } from './order.ts'
import { Place } from './place.ts'
import { type CommitPoint, isPossible, pointsOf, showPoint } from './points.ts'
import { purgePoint, tracePurge } from './purge.ts'
import { type Recovery, sweepPoint } from './sweep-point.ts'
import { type CommitWorkload, commitWorkloads, moveWorkloads } from './workloads.ts'

export type SweepKind = 'commit' | 'rebuild' | 'deletion'

export interface CommitSweepOptions {
  /** Points of each kind, spread over everything; undefined: all. */
  readonly counts: Readonly<Record<SweepKind, number | undefined>>
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
  readonly kind: SweepKind
  readonly name: string
  readonly passed: number
  readonly unreached: readonly string[]
  /** Point and what was wrong. */
  readonly failures: readonly (readonly [string, string])[]
  readonly note?: string
}

const kinds: readonly SweepKind[] = ['commit', 'rebuild', 'deletion']
const commitFaults: readonly CommitFault[] = ['SIGKILL', 'EIO', 'ENOSPC', 'EMFILE']
/** After so many points that need no restart there is one, with everything that is judged only then. */
const pointsPerStart = 12
/** After so many the place begins anew. */
const pointsPerReset = 36
/** Which thread takes a task depends on timing. */
const triesPerPoint = 3

/** A point that is to be made, and the group that it is told with. */
interface Task {
  readonly kind: SweepKind
  readonly group: string
  readonly workload: CommitWorkload
  readonly fault: CommitFault
  readonly point: CommitPoint
}

interface Verdict {
  readonly group: string
  readonly point: CommitPoint
  readonly isReached: boolean
  readonly problems: readonly string[]
}

type Result = Task & Verdict

export async function sweepCommits(options: CommitSweepOptions): Promise<void> {
  for (const name of ['sqlite', 'postgres'] as const) {
    if (!kinds.some(kind => mayConcern(`${kind} ${name} `, options.only))) continue
    await using engine = await openEngine(name)
    if (!engine) continue
    await sweepUploads(engine, options)
    await sweepMoves(engine, options)
    await sweepPurges(engine, options)
  }
}

/** Files and trees that come in. */
async function sweepUploads(engine: Engine, options: CommitSweepOptions): Promise<void> {
  const { scratch, laneCount, only, tell } = options
  if (!['commit', 'rebuild'].some(kind => mayConcern(`${kind} ${engine.name} `, only))) return
  await using lanes = new AsyncDisposableStack()
  const places: Place[] = []
  for (let lane = 0; lane < laneCount; lane++) {
    const home = join(scratch, `${engine.name}-${lane}`, 'home')
    mkdirSync(home, { recursive: true })
    places.push(lanes.use(await Place.open(home, engine)))
  }
  const all = await tasksOf(engine, places[0]!, commitWorkloads, ['commit', 'rebuild'], options)
  const trouble = `commit ${engine.name} disk that fails twice`
  if (trouble.includes(only)) tell(reportOn('commit', trouble, await checkDiskTrouble(places[0]!)))
  await sweepTasks(engine, places, all, options)
}

/** Copies that go, and come back. */
async function sweepMoves(engine: Engine, options: CommitSweepOptions): Promise<void> {
  const { scratch, laneCount, only } = options
  if (!moveWorkloads.some(({ name }) => mayConcern(`deletion ${engine.name} ${name} `, only))) return
  const reason = whyNoSecondDevice(scratch)
  if (reason !== undefined) {
    console.log(`NOT RUN deletion ${engine.name}: ${reason}`)
    return
  }
  await using lanes = new AsyncDisposableStack()
  const places: Place[] = []
  for (let lane = 0; lane < laneCount; lane++) {
    const home = join(scratch, `${engine.name}-copies-${lane}`, 'home')
    mkdirSync(home, { recursive: true })
    places.push(lanes.use(await openCopies(home, engine)).place)
  }
  const all = await tasksOf(engine, places[0]!, moveWorkloads, ['deletion'], options)
  await sweepTasks(engine, places, all, options)
}

/** What is purged at a start. */
async function sweepPurges(engine: Engine, options: CommitSweepOptions): Promise<void> {
  const { scratch, only, counts, random, isVerbose, tell } = options
  const beginning = `deletion ${engine.name} purge `
  if (!mayConcern(beginning, only) || whyNoSecondDevice(scratch) !== undefined) return
  const home = join(scratch, `${engine.name}-purges`, 'home')
  mkdirSync(home, { recursive: true })
  await using copies = await openCopies(home, engine, { amount: 1 })
  const points = await tracePurge(copies.place)
  const all = commitFaults.flatMap(fault =>
    points
      .filter(point => isPossible(fault, point))
      .map(point => ({ group: `${beginning}${fault}`, fault, point }))
      .filter(({ group, point }) => `${group} ${showPoint(point)} `.includes(only)),
  )
  const count = counts.deletion === undefined ? all.length : Math.ceil(counts.deletion / 4)
  const results: Verdict[] = []
  for (const { group, fault, point } of sample(all, count, random)) {
    const verdict = await purgePoint(copies.place, point, fault)
    results.push({ group, point, ...verdict })
    const outcome = verdict.problems.length > 0 ? 'FAIL' : verdict.isReached ? 'ok' : 'not reached'
    if (isVerbose) console.log(`  ${outcome} ${group} ${showPoint(point)} ${verdict.problems.join('; ')}`)
  }
  for (const group of new Set(results.map(result => result.group))) {
    tell(
      reportOf(
        'deletion',
        group,
        results.filter(result => result.group === group),
      ),
    )
  }
}

async function sweepTasks(
  engine: Engine,
  places: readonly Place[],
  all: readonly Task[],
  { counts, random, isVerbose, tell }: CommitSweepOptions,
): Promise<void> {
  const before = performance.now()
  const queue = kinds.flatMap(kind => {
    const tasks = all.filter(task => task.kind === kind)
    const count = counts[kind]
    // Each of the two engines has half.
    return sample(tasks, count === undefined ? tasks.length : Math.ceil(count / 2), random)
  })
  const results: Result[] = []
  const failures: string[] = []
  await Promise.all(places.map(place => work(place, queue, { results, failures, isVerbose })))
  for (const group of new Set(all.map(({ group }) => group))) {
    const made = results.filter(result => result.group === group)
    if (made.length > 0) tell(reportOf(made[0]!.kind, group, made))
  }
  const seconds = (performance.now() - before) / 1000
  const starts = places.reduce((sum, place) => sum + place.starts, 0)
  const note = `${results.length} of ${all.length} points, ${starts} starts, ${seconds.toFixed(1)} s`
  const kind = all.some(task => task.kind === 'deletion') ? 'deletion' : 'commit'
  tell(reportOn(kind, `${kind} ${engine.name} after restarts`, failures, note))
}

async function tasksOf(
  engine: Engine,
  place: Place,
  workloads: readonly CommitWorkload[],
  wanted: readonly SweepKind[],
  { only, tell }: CommitSweepOptions,
): Promise<Task[]> {
  const tasks: Task[] = []
  for (const workload of workloads) {
    if (!wanted.some(kind => mayConcern(`${kind} ${engine.name} ${workload.name} `, only))) continue
    const { points, order } = await traceCleanRun(place, workload, engine)
    if (order && wanted.includes('commit') && mayConcern(order.name, only)) tell(order)
    for (const kind of wanted) {
      for (const fault of commitFaults) {
        // What lies in a store unregistered is no upload: a catalogue that is made again takes it as it finds it.
        if (kind === 'rebuild' && (fault !== 'SIGKILL' || workload.isInPlace)) continue
        const group = `${kind} ${engine.name} ${workload.name} ${fault}`
        for (const point of points) {
          if (isPossible(fault, point) && `${group} ${showPoint(point)} `.includes(only))
            tasks.push({ kind, group, workload, fault, point })
        }
      }
    }
  }
  if (tasks.length === 0) console.log(`NOT RUN ${wanted.join(', ')} ${engine.name}: no point has this name: ${only}`)
  return tasks
}

interface CleanRun {
  readonly points: readonly CommitPoint[]
  readonly order: GroupReport | undefined
}

/** Every durable call that any thread makes for these uploads, and whether they come in the right order. */
async function traceCleanRun(place: Place, workload: CommitWorkload, engine: Engine): Promise<CleanRun> {
  if (workload.isFirst || !place.isRunning || !place.hasStock(workload, 2)) await place.reset()
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
  return { points, order: reportOn('commit', name, problems, `${calls.length} calls`) }
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
    const said = broken.length > 0 ? `; the server said: ${warningsOf(place.log)}` : ''
    failures.push(...broken.map(text => `${text}, after one of: ${sinceStart.join(' · ')}${said}`))
    sinceStart = []
  }
  for (let done = 0, task = queue.shift(); task; done++, task = queue.shift()) {
    if (done % pointsPerReset === 0) {
      await judgeAfterStart()
      await place.reset()
    }
    const verdict = await reach(place, task)
    const { point, fault } = task
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

/** The last of them. */
function warningsOf(log: string): string {
  return log
    .split('\n')
    .filter(line => line.includes('"level":"warn"') || line.includes('"level":"error"'))
    .slice(-6)
    .join(' | ')
}

async function reach(place: Place, { kind, workload, point, fault }: Task) {
  const recovery: Recovery = kind === 'rebuild' ? 'rebuild' : 'restart'
  for (let attempt = 1; ; attempt++) {
    const verdict = await sweepPoint(place, workload, point, fault, recovery)
    if (verdict.isReached || verdict.problems.length > 0 || attempt >= triesPerPoint) return verdict
  }
}

function reportOn(kind: SweepKind, name: string, problems: readonly string[], note = 'checked'): GroupReport {
  const failures = problems.map((problem): [string, string] => ['', problem])
  return { kind, name, passed: problems.length === 0 ? 1 : 0, unreached: [], failures, note }
}

function reportOf(kind: SweepKind, name: string, results: readonly Verdict[]): GroupReport {
  const isBroken = ({ problems }: Verdict) => problems.length > 0
  return {
    kind,
    name,
    passed: results.filter(result => result.isReached && !isBroken(result)).length,
    unreached: results.filter(result => !result.isReached && !isBroken(result)).map(({ point }) => showPoint(point)),
    failures: results.flatMap(({ point, problems }) =>
      problems.map((problem): [string, string] => [showPoint(point), problem]),
    ),
  }
}

/** One of each kind before a second of any: rare calls matter as much as the many that write a log. */
function sample<T extends Pick<Task, 'group' | 'point'>>(
  tasks: readonly T[],
  count: number,
  random: () => number,
): T[] {
  if (count >= tasks.length) return [...tasks]
  const rounds = new Map<string, number>()
  const ranked = shuffle(tasks, random).map(task => {
    const kind = `${task.group} ${task.point.call} ${task.point.about}`
    const round = rounds.get(kind) ?? 0
    rounds.set(kind, round + 1)
    return { task, round }
  })
  const byRound = ranked.toSorted((a, b) => a.round - b.round)
  return byRound.slice(0, count).map(({ task }) => task)
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const keyed = items.map(item => ({ item, key: random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

/** Whether a name that begins so may contain the text. */
function mayConcern(beginning: string, only: string): boolean {
  if (beginning.includes(only) || only.startsWith(beginning) || beginning.startsWith(only)) return true
  return !kinds.some(kind => only.startsWith(kind))
}
