/** A copy's way into the trash, and on from wherever that was interrupted (`gate.ts`). */
import { randomBytes } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import type { Evidence, Trash } from '../../catalogue/operations/deletions.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { Ground } from './ground.ts'
import { isInTrash } from './restore-copy.ts'

export interface DeletionRequest {
  readonly instanceId: number
  /** Who wants it gone: a user, or `task:` and its name. */
  readonly actor: string
  /** Recorded with the trash and in the audit. */
  readonly reason: string
  /** Through which call of the wire, for the audit. */
  readonly call?: string | undefined
  /** Good copies that must remain. Default: the gate's; least 1. */
  readonly floor?: number
}

export interface Deletion {
  /** Of the trash. */
  readonly id: string
  readonly fileName: string
  readonly proofInstanceIds: readonly number[]
}

export async function removeCopy(request: DeletionRequest, ground: Ground): Promise<Deletion> {
  const { catalogue, prove } = ground
  const { instanceId, actor, reason, call } = request
  let site: SiteStore | undefined
  let evidence: readonly Evidence[] = []
  let fileName: string | undefined
  try {
    const copy = await catalogue.instances.get({ id: instanceId })
    if (!copy) throw new LibrarianError('NotFound', `Cannot delete copy ${instanceId}: there is none with this number`)
    fileName = copy.file_name
    site = await ground.demandStore(copy.store_id, `delete ${copy.path}`)
    const verdict = await prove({ instanceId, fileName, site }, Math.max(1, request.floor ?? ground.floor))
    evidence = verdict.evidence
    if (verdict.whyNot !== undefined) {
      throw new LibrarianError('KeepsLastCopy', `Cannot delete ${copy.path}: ${verdict.whyNot}`)
    }
    return await carryOut(request, fileName, verdict, site, ground)
  } catch (error) {
    const detail = { instance: instanceId, reason, call, proofs: evidence }
    const subject = fileName ?? String(instanceId)
    return await ground.refuse(error, { actor, action: 'deletion/trash', subject, detail }, site)
  }
}

async function carryOut(
  { instanceId, actor, reason }: DeletionRequest,
  fileName: string,
  { proofInstanceIds, evidence }: { proofInstanceIds: readonly number[]; evidence: readonly Evidence[] },
  site: SiteStore,
  ground: Ground,
): Promise<Deletion> {
  const { catalogue, presence, working } = ground
  const id = randomBytes(16).toString('hex')
  working.add(id)
  try {
    const begin = { id, holder: presence.holder, instanceId, actor, reason, proofInstanceIds, evidence }
    const trash = await catalogue.deletions.begin(begin)
    try {
      await site.store.trash(fileName, id)
    } catch (error) {
      // Where that fails too, recovery goes on with it.
      await takeBackIfThere(trash, site, ground, error).catch(() => undefined)
      throw error
    }
    await completeRemoval(trash, site, ground)
    return { id, fileName, proofInstanceIds }
  } finally {
    working.delete(id)
  }
}

/** The bytes are in the trash. */
async function completeRemoval(trash: Trash, site: SiteStore, ground: Ground): Promise<void> {
  const { id, file_name, deletion_policy: deletionPolicy, trail_order: order } = trash
  await ground.appendTrail(site, file_name, { action: 'trash', order, deletionPolicy })
  // Taken back by another process, which took this one for dead: then the bytes go back as well.
  if (await ground.catalogue.deletions.finish({ id, holder: ground.presence.holder })) return
  await site.store.restore(file_name, id)
  // Under the same number: by now others may have begun something later.
  await ground.appendTrail(site, file_name, { action: 'restore', order, deletionPolicy })
}

async function takeBackIfThere({ id, file_name }: Trash, { store }: SiteStore, ground: Ground, error: unknown) {
  const why = error instanceof Error ? error.message : String(error)
  if (!(await store.stat(file_name))) return
  // A file has its second name already, a tree was opened to be moved.
  await store.restore(file_name, id)
  await ground.catalogue.deletions.cancel({ id, holder: ground.presence.holder, why })
}

/** @param trash this process's by now, `deleting` */
export async function recoverRemoval(trash: Trash, site: SiteStore, ground: Ground): Promise<void> {
  const { id, file_name } = trash
  const isMoved = !(await site.store.stat(file_name)) && (await isInTrash(site, id))
  if (!isMoved) {
    // A tree was opened to be moved, a file has its second name already: both are taken back.
    await site.store.restore(file_name, id)
    // The proofs are old by now: whoever wants it gone asks again.
    const why = 'it was interrupted before the bytes had moved'
    await ground.catalogue.deletions.cancel({ id, holder: ground.presence.holder, why })
    return
  }
  // Again, so that both directories are durable.
  await site.store.trash(file_name, id)
  await completeRemoval(trash, site, ground)
}
