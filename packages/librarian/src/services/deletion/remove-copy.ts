/** A copy's way into the trash, and on from wherever that was interrupted (`gate.ts`). */
import { randomBytes } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import type { Trash } from '../../catalogue/operations/deletions.ts'
import type { Instance } from '../../catalogue/operations/instances.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { Ground } from './ground.ts'
import { holdSeconds, type Verdict, type Victim } from './prover.ts'
import { isInTrash } from './restore-copy.ts'

export interface DeletionRequest {
  readonly instanceId: number
  /** Who wants it gone: a user, or `task:` and its name. */
  readonly actor: string
  /** Recorded with the trash and in the audit. */
  readonly reason: string
  /** Through which call of the wire, for the audit. */
  readonly call?: string | undefined
  /** Good copies that must remain, here and elsewhere. Default: the gate's; least 1. */
  readonly floor?: number | undefined
  /** As many of them, at least, at other librarians. Default 0. */
  readonly remoteCopies?: number | undefined
}

/** Of a copy whose file shall not remain: what two administrators agreed on stands for the proofs (reliability B8). */
export interface DestructionRequest extends Pick<DeletionRequest, 'instanceId' | 'actor' | 'reason' | 'call'> {
  /** Of the proposal that another administrator has confirmed. */
  readonly destruction: string
}

export interface Deletion {
  /** Of the trash. */
  readonly id: string
  readonly fileName: string
  /** Copies here that were found good. */
  readonly proofInstanceIds: readonly number[]
  /** Copies that other librarians have proven. */
  readonly remoteProofs: number
}

type Judge = (victim: Victim) => Promise<Verdict>

/** Nobody needs to have it any more. */
export const unproven: Verdict = { proofInstanceIds: [], proven: [], evidence: [], whyNot: undefined }

export async function removeCopy(request: DeletionRequest, ground: Ground): Promise<Deletion> {
  return await letGo(request, victim => ground.prove(victim, demandOf(request, ground)), ground)
}

/** All that holds for a deletion but the proofs: the transaction demands two administrators in their place. */
export async function destroyCopy(request: DestructionRequest, ground: Ground): Promise<Deletion> {
  return await letGo(request, async () => unproven, ground)
}

type Request = Pick<DeletionRequest, 'instanceId' | 'actor' | 'reason' | 'call'> & {
  readonly destruction?: string | undefined
}

async function letGo(request: Request, judge: Judge, ground: Ground): Promise<Deletion> {
  const { catalogue } = ground
  const { instanceId, actor, reason, call, destruction } = request
  const id = randomBytes(16).toString('hex')
  let site: SiteStore | undefined
  let copy: Instance | undefined
  let verdict: Verdict | undefined
  ground.working.add(id)
  try {
    copy = await catalogue.instances.get({ id: instanceId })
    if (!copy) throw new LibrarianError('NotFound', `Cannot delete copy ${instanceId}: there is none with this number`)
    site = await ground.demandStore(copy.store_id, `delete ${copy.path}`)
    await catalogue.deletions.announce({ id, holder: ground.presence.holder, instanceId })
    verdict = await judge({ instanceId, fileName: copy.file_name, site })
    if (verdict.whyNot !== undefined) {
      throw new LibrarianError('KeepsLastCopy', `Cannot delete ${copy.path}: ${verdict.whyNot}`)
    }
    return await carryOut({ ...request, id }, copy, verdict, site, ground)
  } catch (error) {
    const detail = { instance: instanceId, reason, call, destruction, proofs: verdict?.evidence ?? [] }
    const subject = copy?.file_name ?? String(instanceId)
    return await ground.refuse(error, { actor, action: 'deletion/trash', subject, detail }, site)
  } finally {
    await retract(id, ground)
    ground.working.delete(id)
    await ground.release(verdict)
  }
}

/** What must remain; a request may demand more than the gate, or less by name, and never nothing. */
export function demandOf({ floor, remoteCopies = 0 }: Pick<DeletionRequest, 'floor' | 'remoteCopies'>, ground: Ground) {
  return { floor: Math.max(1, floor ?? ground.floor), remote: remoteCopies, holdSeconds }
}

/** What it leaves, recovery retracts. */
async function retract(id: string, { catalogue, log }: Ground): Promise<void> {
  await catalogue.deletions.retract({ id }).catch(error => {
    log.warn({ err: error, deletion: id }, 'a deletion that was given up is still announced')
  })
}

async function carryOut(
  { id, instanceId, actor, reason, destruction }: Request & { readonly id: string },
  { file_name: fileName, path }: Instance,
  verdict: Verdict,
  site: SiteStore,
  ground: Ground,
): Promise<Deletion> {
  const { catalogue, presence } = ground
  const { proofInstanceIds, proven, evidence } = verdict
  ground.demandHeld(verdict, path)
  const trash = await catalogue.deletions.begin({
    id,
    holder: presence.holder,
    instanceId,
    actor,
    reason,
    proofInstanceIds,
    remoteProofs: proven.length,
    evidence,
    destruction,
  })
  try {
    // It was written down while they held it, or it does not count.
    ground.demandHeld(verdict, path)
    await site.store.trash(fileName, id)
  } catch (error) {
    // Where that fails too, recovery goes on with it.
    await takeBackIfThere(trash, site, ground, error).catch(() => undefined)
    throw error
  }
  await completeRemoval(trash, site, ground)
  return { id, fileName, proofInstanceIds, remoteProofs: proven.length }
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
