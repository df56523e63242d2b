/** Goes on with, or gives up, what processes that are gone, or this one, have begun and not ended. */
import { LibrarianError } from '@arriero/api'
import type { Repair } from '../../catalogue/operations/repairs.ts'
import { findFile } from '../copies/read-copies.ts'
import type { RepairGround } from './ground.ts'
import { completeRepair, settle } from './replace-copy.ts'

export async function recoverRepairs(ground: RepairGround): Promise<void> {
  const { catalogue, presence, working, log } = ground
  const interrupted = await catalogue.repairs.interrupted()
  const gone = await presence.gone([...new Set(interrupted.map(({ holder }) => holder))])
  for (const { id, holder, file_name } of interrupted) {
    const isLeft = holder === presence.holder ? !working.has(id) : gone.has(holder)
    if (!isLeft) continue
    working.add(id)
    try {
      const repair = await catalogue.repairs.takeOver({ id, holder: presence.holder, from: holder })
      if (repair) await recoverOne(repair, ground)
    } catch (error) {
      log.warn({ err: error, file: file_name }, 'an interrupted repair waits')
    } finally {
      working.delete(id)
    }
  }
}

/** @param repair this process's by now */
async function recoverOne(repair: Repair, ground: RepairGround): Promise<void> {
  const { id, state, store_id, path } = repair
  const site = ground.stores.byId(store_id)
  if (!site || !(await site.store.state()).available) {
    throw new LibrarianError('StoreUnavailable', `Cannot go on with the repair of ${path}: its store must be there`)
  }
  const held = { id, holder: ground.presence.holder }
  if (state === 'purging') {
    await site.store.purge(id)
    await ground.catalogue.repairs.finishPurge(held)
    return
  }
  if (state === 'begun') {
    await ground.catalogue.repairs.fail({ ...held, why: 'the server stopped before the bytes were verified' })
    return await settle(id, site, ground)
  }
  const { file } = await findFile(ground.catalogue, repair.file_name)
  try {
    await completeRepair(repair, file, site, ground)
  } catch (error) {
    // Its verified copy is gone from the store, and the name has other bytes: they are as they were.
    if (!(error instanceof LibrarianError) || error.code !== 'StagedNotFound') throw error
    await ground.catalogue.repairs.fail({ ...held, why: 'its verified copy is gone from the store' })
    await settle(id, site, ground)
  }
}
