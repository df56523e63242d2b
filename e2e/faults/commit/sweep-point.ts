/**
 * One point of the sweeps (reliability 4 K and E): a librarian meets a fault while it takes uploads in. Killed, it is started
 * again; else it must go on by itself. Then all that it acknowledged is there, nothing is half, and the client's next attempt
 * ends well.
 */
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import { type CommitFault, inject } from './attach.ts'
import { enableStore, isKept, type Sending, type Told } from './client.ts'
import type { Place } from './place.ts'
import { type CommitPoint, isOurs } from './points.ts'
import type { CommitWorkload } from './workloads.ts'

export interface CommitVerdict {
  /** The fault did hit. */
  readonly isReached: boolean
  readonly problems: readonly string[]
}

/** What follows a kill: another start; or the loss of the catalogue, which is made again from the stores (reliability G1). */
export type Recovery = 'restart' | 'rebuild'

/** Recovery waits a second before it tries again, then two. */
const convergeMs = 60_000
/** A sender whose receiver was away tries again after half a minute, then after a whole one. */
const convergeByItselfMs = 180_000

export async function sweepPoint(
  place: Place,
  workload: CommitWorkload,
  point: CommitPoint,
  fault: CommitFault,
  recovery: Recovery,
): Promise<CommitVerdict> {
  if (!place.hasStock(workload, 2)) await place.reset()
  if (workload.isFirst) await place.restart()
  else if (!place.isRunning) await place.start()
  const attached = (await attach(place, point, fault)) ?? (await warmAndAttach(place, workload, point, fault))
  if (!attached) return { isReached: false, problems: [] }
  const sendings = place.newSendings(workload)
  const told = await place.send(workload, sendings)
  await attached[Symbol.asyncDispose]()
  const hits = attached.hits()
  const [hit] = hits
  // What could not be told within the process says nothing about a disk.
  const isHit = hit !== undefined && (fault === 'SIGKILL' || hits.every(one => isOurs(one, place.data)))
  const isAnswered = isHit && fault !== 'SIGKILL' && !workload.isByItself
  const problems = isAnswered ? judgeTold(workload, told, hit.name, fault) : []
  const isKilled = hit !== undefined && fault === 'SIGKILL'
  if (isKilled) await place.kill()
  if (!(await isEnabled(place))) {
    if (isHit && fault !== 'SIGKILL') problems.push(`the server ended: ${lastLines(place)}`)
    await place.kill()
    if (recovery === 'rebuild') problems.push(...(await place.rebuild()).map(text => `rebuilt: ${text}`))
    else await place.start()
    await enableStore(place.librarian)
    // What a client knows of transfers, no catalogue knows any more.
    if (recovery === 'rebuild') for (const sending of sendings) sending.announced = undefined
  }
  // Without a start nothing was swept: whoever lost a name may have written into a staging area that was gone by then.
  if (isKilled && recovery === 'restart')
    problems.push(...(await place.judge({ isSwept: true })).map(text => `after the start: ${text}`))
  const mayNeedRestart = hits.some(({ args }) => args.includes('catalogue.db'))
  problems.push(...(await converge(place, workload, sendings, mayNeedRestart)))
  problems.push(...(await place.judge({ isSwept: false })).map(text => `again: ${text}`))
  return { isReached: isHit, problems }
}

/** Two faults of a disk within an hour disable its store: a person would enable it again. */
async function isEnabled(place: Place): Promise<boolean> {
  if (!place.isRunning) return false
  return await enableStore(place.librarian).then(
    () => true,
    () => false,
  )
}

function attach(place: Place, point: CommitPoint, fault: CommitFault) {
  return inject(place.librarian.pid, point, fault, `${place.home}/strace`)
}

/** Threads come with the first work for them. */
async function warmAndAttach(place: Place, workload: CommitWorkload, point: CommitPoint, fault: CommitFault) {
  if (workload.isFirst) return undefined
  await place.warm(workload)
  return await attach(place, point, fault)
}

/** The same again until all is kept (A3: repeating the request converges). */
async function converge(
  place: Place,
  workload: CommitWorkload,
  sendings: readonly Sending[],
  mayNeedRestart: boolean,
): Promise<string[]> {
  const end = performance.now() + (workload.isByItself ? convergeByItselfMs : convergeMs)
  for (;;) {
    const told = await place.send(workload, sendings)
    if (told.every(isKept)) return []
    if (!place.isRunning) return [`again: the server ended: ${lastLines(place)}`]
    // Its log says so, and that is what its operator does.
    if (mayNeedRestart && place.log.includes('restart the server')) await place.restart()
    else if (performance.now() > end) return [`again: ${JSON.stringify(told)}; its log: ${lastLines(place)}`]
    else await setTimeoutPromise(100)
  }
}

/** What was told of a fault that did hit. */
function judgeTold(workload: CommitWorkload, told: readonly Told[], call: string, fault: CommitFault): string[] {
  const problems: string[] = []
  for (const one of told) {
    if (one.outcome === 'refused' && /Something failed that should not|Cannot read propert/.test(one.reason))
      problems.push(`untyped failure: ${one.reason}`)
    if (one.outcome === 'unknown' && !(workload.isContested && lostItsStaging(one.reason)))
      problems.push(`no answer: ${one.reason}`)
  }
  // Of several that want one name, those that fail may be those that do not get it.
  if (!workload.isContested && /sync/.test(call) && fault === 'EIO' && told.every(isKept))
    problems.push('all was acknowledged although a sync had failed')
  return problems
}

/** Announced again, a transfer ends, and its sender may be writing still. */
function lostItsStaging(reason: string): boolean {
  return /ENOENT.*\/staging\//.test(reason)
}

function lastLines(place: Place): string {
  return place.log.trim().split('\n').slice(-3).join(' | ').slice(-600)
}
