/**
 * Purges that meet a fault (reliability B2): what was trashed is removed for good at a start, and every hour. The server is held
 * as soon as it answers, so that strace counts from there. Afterwards each copy is purged, from disk and catalogue alike, or still
 * in the trash, and comes back when asked; the copy on the other device is never touched.
 */
import { join } from 'node:path'
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import type { Call } from '../calls.ts'
import { type Attached, type CommitFault, injectAnywhere, threadsOf, trace } from './attach.ts'
import { isKept } from './client.ts'
import type { Place } from './place.ts'
import { type CommitPoint, isOurs, pointsOf } from './points.ts'
import type { CommitVerdict } from './sweep-point.ts'
import { moveWorkloads } from './workloads.ts'

const patienceMs = 60_000
/** A purge may begin before the server is held. */
const triesToHold = 10

const restoring = moveWorkloads.find(({ name }) => name === 'restore')!

interface TrashRow {
  readonly id: string
  readonly instance_id: number
  readonly file_name: string
  readonly state: string
}

/** Every durable call of a purge that nothing disturbs. */
export async function tracePurge(place: Place): Promise<CommitPoint[]> {
  const log = join(place.home, 'strace')
  const attached = await startHeld(place, pid => trace(pid, log))
  // Threads come with their first work: their names are known only now.
  await whenLookedThrough(place)
  const names = threadsOf(place.librarian.pid)
  await attached[Symbol.asyncDispose]()
  const left = (await rowsOf(place)).filter(({ state }) => state !== 'purged')
  if (left.length > 0) throw new Error(`a purge fails without any fault: ${JSON.stringify(left)}`)
  // Other work of a start has its own points.
  const points = pointsOf(attached.calls(), names, place.data).filter(({ about }) =>
    /^(files\/|held|catalogue\.db-wal)/.test(about),
  )
  if (points.length < 10)
    throw new Error(`only ${points.length} durable calls were seen: the trace is not to be trusted`)
  return points
}

export async function purgePoint(place: Place, point: CommitPoint, fault: CommitFault): Promise<CommitVerdict> {
  const log = join(place.home, 'strace')
  const attached = await startHeld(place, pid => injectAnywhere(pid, point, fault, log))
  await whenLookedThrough(place)
  await attached[Symbol.asyncDispose]()
  const hits: readonly Call[] = attached.hits()
  const isHit = hits.length > 0 && (fault === 'SIGKILL' || hits.some(hit => isOurs(hit, place.data)))
  const problems: string[] = []
  if (fault === 'SIGKILL') await place.kill()
  else if (isHit && !place.isRunning) problems.push('the server ended')
  await place.kill()
  await place.start()
  problems.push(...(await place.judge({ isSwept: true })).map(text => `after the start: ${text}`))
  problems.push(...(await bringBack(place)))
  problems.push(...(await place.judge({ isSwept: false })).map(text => `again: ${text}`))
  return { isReached: isHit, problems }
}

/** What is not purged comes back. */
async function bringBack(place: Place): Promise<string[]> {
  const problems: string[] = []
  for (const { id, instance_id, file_name, state } of await rowsOf(place)) {
    if (state !== 'trashed') continue
    const copy = { instanceId: Number(instance_id), trashId: id }
    const upload = { name: file_name, content: new Uint8Array() }
    const told = await place.send(restoring, [{ upload, copy }])
    if (!told.every(isKept)) problems.push(`${file_name} cannot be brought back: ${JSON.stringify(told)}`)
    else if ((await rowsOf(place)).some(row => row.id === id && row.state !== 'restored'))
      problems.push(`${file_name} was told to be brought back, and its row does not say so`)
  }
  return problems
}

/** @param attach strace, before anything was purged */
async function startHeld(place: Place, attach: (pid: number) => Promise<Attached>): Promise<Attached> {
  for (let attempt = 1; ; attempt++) {
    await place.bringBack()
    await place.start({ deletion: { proofs: 1, purge_after: 0 } })
    const { pid } = place.librarian
    process.kill(pid, 'SIGSTOP')
    const isEarly = (await rowsOf(place)).every(({ state }) => state === 'trashed')
    if (!isEarly && attempt >= triesToHold) throw new Error('no purge begins late enough to be disturbed')
    const attached = isEarly ? await attach(pid) : undefined
    process.kill(pid, 'SIGCONT')
    if (attached) return attached
    await place.kill()
  }
}

async function whenLookedThrough(place: Place): Promise<void> {
  const end = performance.now() + patienceMs
  while (place.isRunning && !/the trash (was looked through|could not be purged)/.test(place.log)) {
    if (performance.now() > end) throw new Error(`no purge ends: ${place.log.slice(-1000)}`)
    await setTimeoutPromise(20)
  }
}

function rowsOf(place: Place): Promise<TrashRow[]> {
  return place.query<TrashRow>('SELECT id, instance_id, file_name, state FROM trash')
}
