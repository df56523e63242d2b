/** What would become of a deletion, without it (`gate.ts`). */
import { LibrarianError } from '@arriero/api'
import type { Evidence } from '../../catalogue/operations/deletions.ts'
import type { DeletionPolicy } from '../../catalogue/schema.ts'
import type { Ground } from './ground.ts'
import { type DeletionRequest, demandOf } from './remove-copy.ts'

export interface DeletionPlan {
  readonly fileName: string
  readonly storeName: string
  readonly path: string
  readonly size: number
  readonly deletionPolicy: DeletionPolicy
  /** Good copies that must remain, and how many of them at other librarians. */
  readonly floor: number
  readonly remoteCopies: number
  /** All that was read for this plan, here and elsewhere. */
  readonly evidence: readonly Evidence[]
  /** Undefined: it may go now. */
  readonly whyNot: string | undefined
  /** How long the trash would keep it, s. */
  readonly purgeAfterSeconds: number
}

export async function planDeletion(
  request: Pick<DeletionRequest, 'instanceId' | 'floor' | 'remoteCopies'>,
  ground: Ground,
): Promise<DeletionPlan> {
  const { catalogue, purgeAfterSeconds } = ground
  const { instanceId } = request
  const copy = await catalogue.instances.get({ id: instanceId })
  if (!copy) throw new LibrarianError('NotFound', `Cannot plan for copy ${instanceId}: there is none with this number`)
  const { file_name: fileName, path, deletion_policy: deletionPolicy, store_id } = copy
  const site = await ground.demandStore(store_id, `plan the deletion of ${path}`)
  const demand = demandOf(request, ground)
  const { evidence, whyNot } = await ground.prove({ instanceId, fileName, site }, { ...demand, holdSeconds: 0 })
  const kept = await catalogue.instances.ofFile({ name: fileName })
  return {
    fileName,
    storeName: site.name,
    path,
    size: kept?.file.size ?? 0,
    deletionPolicy,
    floor: demand.floor,
    remoteCopies: demand.remote,
    evidence,
    whyNot: whyNot ?? (await catalogue.deletions.whyNot({ instanceId })),
    purgeAfterSeconds,
  }
}
