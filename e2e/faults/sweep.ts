/**
 * One point of the sweeps (reliability 4 K and E): the program meets a fault at this very call, what it left is
 * inspected, and the same command, run again undisturbed, must end well.
 */
import type { Found } from './inspect.ts'
import { missing } from './inspect.ts'
import type { Lane, Point } from './lane.ts'
import type { Ended, Fault } from './strace.ts'
import type { Workload } from './workloads.ts'

export interface Verdict {
  /** The fault did hit. */
  readonly isReached: boolean
  readonly problems: readonly string[]
  /** Bytes that were fetched although an earlier run had been sent them. */
  readonly refetched: number
}

export async function sweepPoint(lane: Lane, workload: Workload, point: Point, fault: Fault): Promise<Verdict> {
  lane.reset()
  const first = await lane.runFaulted(lane.targetOf(point), fault)
  const asked = lane.asked
  const after = lane.inspect()
  const problems = after.problems.map(problem => `after the fault: ${problem}`)
  if (first.isTimedOut) problems.push('did not end by itself within 60 s')
  else if (!first.isReached) problems.push(...judgeSuccess(first, after, workload).map(text => `undisturbed: ${text}`))
  else if (first.signal === undefined && first.code !== 137)
    problems.push(...judgeFailure(first, after, workload, point, fault))
  else if (fault !== 'SIGKILL') problems.push(`was ended by ${first.signal ?? 'SIGKILL'}`)

  const second = await lane.run()
  const again = lane.asked
  const final = lane.inspect()
  problems.push(...judgeSuccess(second, final, workload).map(text => `run again: ${text}`))
  if (final.debris.length > 0) problems.push(`run again: left ${final.debris.join(', ')}`)
  if (first.isReached) problems.push(...judgeRefetch(after, again, workload, point, fault))
  return { isReached: first.isReached, problems, refetched: Math.max(0, total(asked) + total(again) - size(workload)) }
}

function judgeSuccess(
  { code, stderr, stdout, isTimedOut }: Ended,
  found: Found,
  { files, hasRows }: Workload,
): string[] {
  const problems = [...found.problems]
  if (isTimedOut) problems.push('did not end by itself within 60 s')
  else if (code !== 0) problems.push(`exit ${code}: ${lastLine(hasRows ? stdout || stderr : stderr)}`)
  for (const name of missing(found, files)) problems.push(`${name} is missing`)
  return problems
}

/** The program went on after the fault: what it said must be true. */
function judgeFailure(ended: Ended, found: Found, workload: Workload, point: Point, fault: Fault): string[] {
  const { code, stdout, stderr } = ended
  const problems: string[] = []
  const { ok, failed, errors } = told(ended, workload)
  for (const name of ok) if (!found.visible.has(name)) problems.push(`${name} was acknowledged and is not there`)
  for (const name of failed) if (found.visible.has(name)) problems.push(`${name} was told to have failed and is there`)
  for (const name of fault === 'SIGKILL' ? [] : condemned(workload, point)) {
    if (ok.has(name)) problems.push(`${name} was acknowledged although its sync had failed`)
  }
  if (/^\s+at |Unexpected|should not happen/m.test(stderr + stdout)) problems.push(`untyped error: ${lastLine(stderr)}`)
  if (code === 0) {
    for (const name of missing(found, workload.files)) problems.push(`exit 0, and ${name} is missing`)
    if (failed.size > 0) problems.push(`exit 0, and ${failed.size} rows failed`)
    if (point.path.endsWith('/stdout')) problems.push('exit 0, and the result could not be printed')
  } else if (code === 7 || (workload.hasRows && code === 1)) {
    const expected = fault === 'ENOSPC' ? /disk is full|ENOSPC/ : /EIO/
    if (fault !== 'SIGKILL' && !errors.some(error => expected.test(error)))
      problems.push(`no word of ${fault}: ${lastLine(stderr)} ${errors[0] ?? ''}`)
    if (!workload.hasRows && stderr.trim().split('\n').length > 1) problems.push(`several lines: ${stderr}`)
  } else problems.push(`exit ${code}: ${lastLine(stderr || stdout)}`)
  problems.push(...judgeDebris(found, point))
  return problems
}

/** What may stay when the program itself has ended a download: data with its journal, and what it could not remove. */
function judgeDebris({ debris }: Found, { call, path }: Point): string[] {
  if (call === 'unlink' || call === 'rmdir') return []
  return debris
    .filter(name => {
      if (name.endsWith('.part')) return !debris.includes(`${name}.journal`)
      if (name.endsWith('.part.journal')) return !debris.includes(name.slice(0, -'.journal'.length))
      return true
    })
    .filter(name => !path.endsWith(name))
    .map(name => `left ${name}`)
}

/** Names whose content or entry the failed call should have made durable: they must not be acknowledged. */
function condemned({ files, target }: Workload, { call, path }: Point): string[] {
  if (!/sync/.test(call) || path.endsWith('.journal') || path.endsWith('.new')) return []
  const names = [...files.keys()]
  if (path.endsWith('.part')) return names
  if (/\/\.arriero\//.test(path)) return []
  const below = path.replace(/^HOME\//, '').slice(target.length + 1)
  if (call === 'syncfs' || below === '') return names
  return names.filter(name => name.startsWith(`${below}/`))
}

/** Promise A3 and retrieval 12: what was recorded is not fetched again, unless a failed sync has made it worthless. */
function judgeRefetch(
  after: Found,
  again: ReadonlyMap<string, number>,
  workload: Workload,
  { call, path }: Point,
  fault: Fault,
): string[] {
  const problems: string[] = []
  for (const [name, bytes] of workload.files) {
    const fetched = again.get(name) ?? 0
    if (after.visible.has(name)) {
      if (fetched > 0) problems.push(`run again: ${name} was there and ${fetched} bytes of it were fetched`)
      continue
    }
    const isWorthless = fault !== 'SIGKILL' && /sync/.test(call) && path.endsWith('.part')
    // When a large file is about to get its name, everything is recorded.
    const recorded = call === 'link' && workload.inFlight > 0 ? bytes.length : (after.recorded.get(name) ?? 0)
    if (isWorthless && fetched < bytes.length)
      problems.push(`run again: trusted ${name}.part after its sync had failed`)
    const most = bytes.length - recorded + workload.inFlight
    if (fetched > most)
      problems.push(`run again: fetched ${fetched} bytes of ${name}, at most ${most} were not recorded`)
  }
  return problems
}

interface Told {
  readonly ok: ReadonlySet<string>
  readonly failed: ReadonlySet<string>
  readonly errors: readonly string[]
}

function told({ code, stdout, stderr }: Ended, { files, hasRows }: Workload): Told {
  const names = [...files.keys()]
  if (!hasRows) {
    return { ok: new Set(code === 0 ? names : []), failed: new Set(code === 0 ? [] : names), errors: [stderr] }
  }
  const ok = new Set<string>()
  const failed = new Set<string>()
  const errors = [stderr]
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{')) continue
    const row = JSON.parse(line)
    // A row tells its failure as text; a run that could not begin, as an object.
    if (row.error) errors.push(typeof row.error === 'string' ? row.error : `${row.error.code}: ${row.error.message}`)
    const name = names.find(each => row.path === each || row.path?.endsWith(`/${each}`))
    if (name) (row.ok ? ok : failed).add(name)
  }
  return { ok, failed, errors }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
}

function total(asked: ReadonlyMap<string, number>): number {
  return [...asked.values()].reduce((sum, bytes) => sum + bytes, 0)
}

function size({ files }: Workload): number {
  return [...files.values()].reduce((sum, { length }) => sum + length, 0)
}
