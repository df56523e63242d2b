/**
 * Whether a copy may go (reliability B1, B3): every other copy at this site that is on a device of its own is read in full
 * now. As many must be good as the floor says, and not a single one may be bad.
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Evidence } from '../../catalogue/operations/deletions.ts'
import type { Instance } from '../../catalogue/operations/instances.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import { type CopyReader, findFile } from '../copies/read-copies.ts'

export interface Victim {
  readonly instanceId: number
  readonly fileName: string
  readonly site: SiteStore
}

export interface Verdict {
  /** Good copies, none of which is lost together with another or with the victim. */
  readonly proofInstanceIds: readonly number[]
  /** All that was read, and what was found. */
  readonly evidence: readonly Evidence[]
  /** Undefined: it may go. */
  readonly whyNot: string | undefined
}

export type Prove = (victim: Victim, floor: number) => Promise<Verdict>

export interface ProverOptions {
  readonly catalogue: Pick<Catalogue, 'instances'>
  readonly stores: Stores
  readonly reader: Pick<CopyReader, 'read'>
}

export function createProver({ catalogue, stores, reader }: ProverOptions): Prove {
  /** One per device, and none on the victim's own: what is lost together counts once. */
  async function independentOf({ site }: Victim, others: readonly Instance[]): Promise<Instance[]> {
    const own = await site.store.state()
    const used = new Set(own.available ? [own.uuid, own.device] : [])
    const independent: Instance[] = []
    for (const copy of others) {
      const state = await stores.byId(copy.store_id)?.store.state()
      if (!state?.available) continue
      if (used.has(state.uuid) || (state.device !== undefined && used.has(state.device))) continue
      used.add(state.uuid)
      if (state.device !== undefined) used.add(state.device)
      independent.push(copy)
    }
    return independent
  }

  return async (victim, floor) => {
    const { file, instances } = await findFile(catalogue, victim.fileName)
    const others = instances.filter(({ id, available }) => id !== victim.instanceId && available === 1)
    const independent = await independentOf(victim, others)
    const readings = await Promise.all(independent.map(copy => reader.read(file, copy, { isDirect: true })))
    const evidence = independent.map((copy, at) => {
      const { state, medium } = readings[at]!
      return { instance: copy.id, store: stores.byId(copy.store_id)?.name ?? String(copy.store_id), state, medium }
    })
    const proofInstanceIds = evidence.filter(({ state }) => state === 'ok').map(({ instance }) => instance)
    return { proofInstanceIds, evidence, whyNot: whyNot(evidence, floor) }
  }
}

function whyNot(evidence: readonly Evidence[], floor: number): string | undefined {
  const bad = evidence.find(({ state }) => state !== 'ok')
  if (bad) return `all other copies must be good, the one on ${bad.store} is ${bad.state}`
  if (evidence.length >= floor) return undefined
  return `${floor} good copies must remain on other devices at this site, there are ${evidence.length}`
}
