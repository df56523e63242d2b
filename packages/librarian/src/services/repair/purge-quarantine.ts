/**
 * The end of bad bytes that have been kept long enough (reliability B5, B7): they may be the only evidence, or partly of use, so
 * they go only where every copy of the file at this site is read now and is good.
 */
import type { Repair } from '../../catalogue/operations/repairs.ts'
import { findFile } from '../copies/read-copies.ts'
import type { RepairGround } from './ground.ts'

/** Of one run: whoever purges by mistake does not purge all (B4). */
const MOST = 100

export async function purgeQuarantine(
  ground: RepairGround,
  signal: AbortSignal,
): Promise<{ purged: number; kept: number }> {
  const report = { purged: 0, kept: 0 }
  let after = ''
  while (!signal.aborted && report.purged < MOST) {
    const due = { olderThanSeconds: ground.keepSeconds, after, limit: MOST }
    const page = await ground.catalogue.repairs.dueForPurge(due)
    for (const repair of page) {
      if (signal.aborted || report.purged === MOST) return report
      after = repair.id
      report[await purgeOne(repair, ground, signal)] += 1
    }
    if (page.length < MOST) break
  }
  return report
}

async function purgeOne(repair: Repair, ground: RepairGround, signal: AbortSignal): Promise<'purged' | 'kept'> {
  const { id, file_name, store_id } = repair
  const { catalogue, stores, presence, working, log } = ground
  const site = stores.byId(store_id)
  if (!site || !(await site.store.state()).available) return 'kept'
  working.add(id)
  try {
    const goodInstanceIds = await readGood(file_name, ground, signal)
    const held = { id, holder: presence.holder }
    if (!(await catalogue.repairs.beginPurge({ ...held, goodInstanceIds }))) return 'kept'
    await site.store.purge(id)
    await catalogue.repairs.finishPurge(held)
    return 'purged'
  } catch (error) {
    signal.throwIfAborted()
    log.warn({ err: error, file: file_name }, 'what is in the quarantine could not be purged')
    return 'kept'
  } finally {
    working.delete(id)
  }
}

/** Empty where one of them is not good. */
async function readGood(name: string, { catalogue, reader }: RepairGround, signal: AbortSignal): Promise<number[]> {
  const { file, instances } = await findFile(catalogue, name)
  const copies = instances.filter(({ available }) => available === 1)
  const readings = await Promise.all(copies.map(copy => reader.read(file, copy, { isDirect: true, signal })))
  return readings.every(({ state }) => state === 'ok') ? copies.map(({ id }) => id) : []
}
