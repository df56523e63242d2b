/** Points of a sweep, spread over everything by a seed, each made at one of several places; and what is told of them. */
import { join } from 'node:path'
import { type CommitFault, descriptorsOf, threadsOf, trace } from './attach.ts'
import type { Engine } from './engines.ts'
import { checkCommitOrder } from './order.ts'
import type { Place } from './place.ts'
import { type CommitPoint, isPossible, pointsOf, showPoint } from './points.ts'
import { type Recovery, sweepPoint } from './sweep-point.ts'
import type { CommitWorkload } from './workloads.ts'

export type SweepKind = 'commit' | 'rebuild' | 'deletion' | 'clone' | 'repair' | 'ingest'

export interface SweepOptions {
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

export const sweepKinds: readonly SweepKind[] = ['commit', 'rebuild', 'deletion', 'clone', 'repair', 'ingest']
/** Of flows, descriptors that run out are no fault: what is fetched is tried again. */
export const faultsOf = (kind: SweepKind): readonly CommitFault[] => {
  if (kind === 'rebuild') return ['SIGKILL']
  const disk: readonly CommitFault[] = ['SIGKILL', 'EIO', 'ENOSPC']
  return kind === 'commit' || kind === 'deletion' ? [...disk, 'EMFILE'] : disk
}
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

export interface PointVerdict {
  readonly group: string
  readonly point: CommitPoint
  readonly isReached: boolean
  readonly problems: readonly string[]
}

type Result = Task & PointVerdict

export async function sweepTasks(
  engine: Engine,
  places: readonly Place[],
  all: readonly Task[],
  { counts, random, isVerbose, tell }: SweepOptions,
): Promise<void> {
  const before = performance.now()
  const queue = sweepKinds.flatMap(kind => {
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
  const kind = all[0]?.kind ?? 'commit'
  tell(reportOn(kind, `${kind} ${engine.name} after restarts`, failures, note))
}

export async function tasksOf(
  engine: Engine,
  place: Place,
  workloads: readonly CommitWorkload[],
  wanted: readonly SweepKind[],
  { only, tell }: SweepOptions,
): Promise<Task[]> {
  const tasks: Task[] = []
  for (const workload of workloads) {
    if (!wanted.some(kind => mayConcern(`${kind} ${engine.name} ${workload.name} `, only))) continue
    const { points, order } = await traceCleanRun(place, workload, engine)
    if (order && wanted.includes('commit') && mayConcern(order.name, only)) tell(order)
    for (const kind of wanted) {
      for (const fault of faultsOf(kind)) {
        // What lies in a store unregistered is no upload: a catalogue that is made again takes it as it finds it.
        if (kind === 'rebuild' && workload.isInPlace) continue
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

export function reportOn(kind: SweepKind, name: string, problems: readonly string[], note = 'checked'): GroupReport {
  const failures = problems.map((problem): [string, string] => ['', problem])
  return { kind, name, passed: problems.length === 0 ? 1 : 0, unreached: [], failures, note }
}

export function reportOf(kind: SweepKind, name: string, results: readonly PointVerdict[]): GroupReport {
  const isBroken = ({ problems }: PointVerdict) => problems.length > 0
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
export function sample<T extends Pick<Task, 'group' | 'point'>>(
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
export function mayConcern(beginning: string, only: string): boolean {
  if (beginning.includes(only) || only.startsWith(beginning) || beginning.startsWith(only)) return true
  return !sweepKinds.some(kind => only.startsWith(kind))
}
