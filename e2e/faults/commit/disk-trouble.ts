/**
 * A disk whose syncs fail (reliability 5, EIO on fsync; 7.5): nothing is synced twice in the hope that it works then, nothing
 * of it is acknowledged, and the second failure takes the store out of use until a person puts it back.
 */
import { join } from 'node:path'
import { injectAll } from './attach.ts'
import { enableStore, isKept } from './client.ts'
import type { Place } from './place.ts'
import { commitWorkloads } from './workloads.ts'

export async function checkDiskTrouble(place: Place): Promise<string[]> {
  const workload = commitWorkloads.find(({ name }) => name === 'file')!
  const problems: string[] = []
  await place.reset()
  await place.warm(workload)
  const attached = await injectAll(
    place.librarian.pid,
    'store-worker',
    ['fsync', 'fdatasync'],
    'EIO',
    join(place.home, 'strace'),
  )
  const sendings = [...place.newSendings(workload), ...place.newSendings(workload)]
  for (const sending of sendings) {
    const told = await place.send(workload, [sending])
    if (told.some(isKept)) problems.push(`${sending.upload.name} was acknowledged although no sync had worked`)
  }
  await attached?.[Symbol.asyncDispose]()
  const synced = (attached?.calls() ?? []).flatMap(({ paths }) => paths.slice(0, 1))
  if (synced.length < 2) problems.push(`only ${synced.length} syncs were tried: the trace is not to be trusted`)
  const twice = synced.filter((path, index) => /\.arriero.work./.test(path) && synced.indexOf(path) !== index)
  if (twice.length > 0) problems.push(`synced again after a sync had failed: ${twice.join(', ')}`)
  const refused = await place.send(workload, place.newSendings(workload))
  if (refused.some(isKept)) problems.push('the store takes uploads although its disk failed twice within an hour')
  await enableStore(place.librarian)
  const again = await place.send(workload, sendings)
  if (!again.every(isKept)) problems.push(`enabled again: ${JSON.stringify(again)}`)
  problems.push(...(await place.judge({ isSwept: false })))
  return problems
}
