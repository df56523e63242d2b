/** Out of the trash and back under the name (reliability B2); the copy is then read, like any that nobody has read yet. */
import type { Trash } from '../../catalogue/operations/deletions.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import type { SiteStore } from '../../stores/stores.ts'
import { findFile } from '../copies/read-copies.ts'
import type { Ground } from './ground.ts'

export interface RestoreRequest {
  /** Of the trash. */
  readonly id: string
  readonly actor: string
  readonly call?: string | undefined
}

export interface Restoration {
  readonly fileName: string
  /** As before. */
  readonly instanceId: number
  /** As the full reading after it has found the copy. */
  readonly state: CopyState
}

export async function restoreCopy({ id, actor, call }: RestoreRequest, ground: Ground): Promise<Restoration> {
  const { catalogue, presence, working } = ground
  let trash: Trash | undefined
  working.add(id)
  try {
    trash = await catalogue.trash.beginRestore({ id, holder: presence.holder })
    const site = await siteOrBack(trash, ground)
    await completeRestore(trash, actor, site, ground)
  } catch (error) {
    const detail = { trash: id, call }
    const subject = trash?.file_name ?? id
    return await ground.refuse(error, { actor, action: 'deletion/restore', subject, detail }, undefined)
  } finally {
    working.delete(id)
  }
  return { fileName: trash.file_name, instanceId: trash.instance_id, state: await read(trash, ground) }
}

async function siteOrBack(trash: Trash, ground: Ground): Promise<SiteStore> {
  try {
    return await ground.demandStore(trash.store_id, `restore ${trash.path}`)
  } catch (error) {
    await ground.catalogue.trash.cancelRestore({ id: trash.id, holder: ground.presence.holder })
    throw error
  }
}

/** @param trash this process's, `restoring`. May be repeated from the start. */
export async function completeRestore(trash: Trash, actor: string, site: SiteStore, ground: Ground): Promise<void> {
  const { id, file_name, deletion_policy: deletionPolicy, trail_order: order } = trash
  const held = { id, holder: ground.presence.holder }
  try {
    await site.store.restore(file_name, id)
  } catch (error) {
    // Nothing has moved: the name is taken, or the disk is not there.
    if (await isInTrash(site, id)) await ground.catalogue.trash.cancelRestore(held)
    throw error
  }
  await ground.appendTrail(site, file_name, { action: 'restore', order, deletionPolicy })
  await ground.catalogue.trash.finishRestore({ ...held, actor })
}

/** It was whole when it went; what it is now is for a full reading to say, and until then nobody is served from it. */
async function read({ file_name, instance_id, store_id }: Trash, ground: Ground): Promise<CopyState> {
  const { file } = await findFile(ground.catalogue, file_name)
  const { state } = await ground.reader.read(file, { id: instance_id, store_id })
  return state
}

export async function isInTrash({ store }: SiteStore, id: string): Promise<boolean> {
  for await (const removed of store.removed()) if (removed.id === id && removed.place === 'trash') return true
  return false
}
