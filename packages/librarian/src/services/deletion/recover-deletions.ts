/** Goes on with, or takes back, what processes that are gone, or this one, have begun and not ended. */
import type { Trash } from '../../catalogue/operations/deletions.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { Ground } from './ground.ts'
import { recoverPurge } from './purge-trash.ts'
import { recoverRemoval } from './remove-copy.ts'
import { completeRestore } from './restore-copy.ts'

/** Resolves to how many of those that it may touch still wait. */
export async function recoverDeletions(ground: Ground): Promise<number> {
  const { catalogue, presence, working, log } = ground
  const interrupted = await catalogue.deletions.interrupted()
  const gone = await presence.gone([...new Set(interrupted.map(({ holder }) => holder))])
  let waiting = 0
  await retractLeft(ground)
  for (const { id, holder, file_name } of interrupted) {
    const isLeft = holder === presence.holder ? !working.has(id) : gone.has(holder)
    if (!isLeft) continue
    working.add(id)
    try {
      const trash = await catalogue.deletions.takeOver({ id, holder: presence.holder, from: holder })
      if (trash) await recoverOne(trash, ground)
    } catch (error) {
      waiting += 1
      log.warn({ err: error, file: file_name }, 'an interrupted deletion waits')
    } finally {
      working.delete(id)
    }
  }
  return waiting
}

async function recoverOne(trash: Trash, ground: Ground): Promise<void> {
  const site: SiteStore = await ground.demandStore(trash.store_id, `go on with the deletion of ${trash.path}`)
  if (trash.state === 'deleting') return await recoverRemoval(trash, site, ground)
  if (trash.state === 'purging') return await recoverPurge(trash, site, ground)
  await completeRestore(trash, 'task:recovery', site, ground)
}

/** What was announced and has not begun stays: whoever wants it gone asks again. */
async function retractLeft({ catalogue, presence, working }: Ground): Promise<void> {
  const announced = await catalogue.deletions.announced()
  const gone = await presence.gone([...new Set(announced.map(({ holder }) => holder))])
  for (const { id, holder } of announced) {
    const isLeft = holder === presence.holder ? !working.has(id) : gone.has(holder)
    if (isLeft) await catalogue.deletions.retract({ id })
  }
}
