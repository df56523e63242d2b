/**
 * The end of what has waited in the trash long enough (reliability B2): B1 is asked from scratch for each, and what fails it
 * stays, with an alarm, since it may be the last good copy there is.
 */
import { LibrarianError } from '@arriero/api'
import type { Evidence, Trash } from '../../catalogue/operations/deletions.ts'
import type { TrashCursor } from '../../catalogue/operations/trash.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { Ground } from './ground.ts'
import { holdSeconds, type Verdict, type Victim } from './prover.ts'
import { unproven } from './remove-copy.ts'
import { isInTrash } from './restore-copy.ts'

export interface PurgeReport {
  readonly purged: number
  /** Due, and kept: for want of good copies, or because their store is not there. */
  readonly kept: number
}

/** Who purges: no user asked for it. */
const purger = 'task:purge'

const PAGE = 100

export async function purgeDue(ground: Ground, signal: AbortSignal | undefined): Promise<PurgeReport> {
  const report = { purged: 0, kept: 0 }
  /** Stores whose brake is on: nothing more of theirs is tried. */
  const braked = new Set<number>()
  let after: TrashCursor | undefined
  for (;;) {
    const due = { olderThanSeconds: ground.purgeAfterSeconds, after, limit: PAGE }
    const page = await ground.catalogue.trash.due(due)
    for (const trash of page) {
      if (signal?.aborted) return report
      after = { trashed: trash.trashed, id: trash.id }
      if (braked.has(trash.store_id)) continue
      const end = await purgeOne(trash, ground)
      if (end === 'braked') braked.add(trash.store_id)
      else report[end] += 1
    }
    if (page.length < PAGE) return report
  }
}

async function purgeOne(trash: Trash, ground: Ground): Promise<'purged' | 'kept' | 'braked'> {
  const { id, store_id } = trash
  const site = await ground.demandStore(store_id, `purge ${trash.path}`).catch(() => undefined)
  // A disk that is not there keeps what it has; it comes back by itself.
  if (!site) return 'kept'
  ground.working.add(id)
  let verdict: Verdict | undefined
  try {
    verdict = await judge(trash, site, ground)
    demandGood(trash, verdict)
    ground.demandHeld(verdict, `the trash of ${trash.path}`)
    const ours = await ground.catalogue.trash.beginPurge({
      id,
      holder: ground.presence.holder,
      olderThanSeconds: ground.purgeAfterSeconds,
      proofInstanceIds: verdict.proofInstanceIds,
      remoteProofs: verdict.proven.length,
      evidence: verdict.evidence,
    })
    if (!ours) return 'kept'
    await completePurge(ours, site, ground)
    return 'purged'
  } catch (error) {
    return await keep(trash, error, verdict?.evidence ?? [], site, ground)
  } finally {
    ground.working.delete(id)
    await ground.release(verdict)
  }
}

/** What two administrators wanted gone needs no proofs, as long as nobody has brought a copy of it back (B8). */
async function judge(trash: Trash, site: SiteStore, { catalogue, prove, floor }: Ground): Promise<Verdict> {
  if (await catalogue.trash.isAgreed({ id: trash.id })) return unproven
  return await prove(victimOf(trash, site), { floor, remote: 0, holdSeconds })
}

function victimOf({ id: trashId, instance_id: instanceId, file_name: fileName }: Trash, site: SiteStore): Victim {
  return { instanceId, fileName, site, trashId }
}

/** @throws LibrarianError `KeepsLastCopy` */
function demandGood({ path }: Trash, { whyNot }: Verdict): void {
  if (whyNot === undefined) return
  throw new LibrarianError('KeepsLastCopy', `Cannot purge the trash of ${path}: ${whyNot}`)
}

/** @param trash this process's, `purging`. May be repeated from the start. */
async function completePurge(trash: Trash, site: SiteStore, ground: Ground): Promise<void> {
  const { id, file_name, deletion_policy: deletionPolicy, trail_order: order } = trash
  await site.store.purge(id)
  await ground.appendTrail(site, file_name, { action: 'purge', order, deletionPolicy })
  await ground.catalogue.trash.finishPurge({ id, holder: ground.presence.holder, actor: purger })
}

async function keep(
  trash: Trash,
  error: unknown,
  evidence: readonly Evidence[],
  site: SiteStore,
  ground: Ground,
): Promise<'kept' | 'braked'> {
  const code = error instanceof LibrarianError ? error.code : undefined
  if (code === 'Busy') return 'kept'
  const detail = { trash: trash.id, instance: trash.instance_id, reason: trash.reason, proofs: evidence }
  const asked = { actor: purger, action: 'deletion/purge', subject: trash.file_name, detail }
  await ground.refuse(error, asked, site).catch(() => undefined)
  if (code === 'TooMany') return 'braked'
  if (code === 'KeepsLastCopy') await tellKept(trash, error as Error, ground)
  else ground.log.warn({ err: error, file: trash.file_name }, 'what is in the trash could not be purged')
  return 'kept'
}

async function tellKept({ id, path, file_name }: Trash, { message }: Error, { alarms }: Ground): Promise<void> {
  await alarms.raise({
    severity: 'error',
    category: 'data_integrity',
    message: `The trash keeps ${path}: it may be needed, as a good copy of ${file_name}. ${message}. Restore it by \`arriero trash restore ${id}\`.`,
    caller: 'deletion',
  })
}

/** @param trash this process's by now, `purging`: its bytes may be whole, half or gone */
export async function recoverPurge(trash: Trash, site: SiteStore, ground: Ground): Promise<void> {
  const held = { id: trash.id, holder: ground.presence.holder }
  if (!(await isInTrash(site, trash.id))) return await completePurge(trash, site, ground)
  let verdict: Verdict | undefined
  try {
    verdict = await judge(trash, site, ground)
    demandGood(trash, verdict)
    ground.demandHeld(verdict, `the trash of ${trash.path}`)
    await completePurge(trash, site, ground)
  } catch (error) {
    if (!(error instanceof LibrarianError) || error.code !== 'KeepsLastCopy') throw error
    await ground.catalogue.trash.cancelPurge(held)
    await tellKept(trash, error, ground)
  } finally {
    await ground.release(verdict)
  }
}
