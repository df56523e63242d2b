/**
 * Destroys a file: all its copies at this site, good ones and the last one too (reliability B8). Two administrators must want it.
 * The bytes go through the deletion gate, whose transaction looks for the agreement of the two itself.
 */
import { type Instant, instantOf, LibrarianError, millisecondsOf } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { agreementSeconds } from '../catalogue/operations/deletion-rules.ts'
import type { Destruction } from '../catalogue/operations/destructions.ts'
import type { Log } from '../log.ts'
import type { Caller } from '../routes/route.ts'
import type { Stores } from '../stores/stores.ts'
import type { Act } from './act.ts'
import type { DeletionGate } from './deletion/gate.ts'

export interface ShownProposal {
  readonly id: string
  readonly fileName: string
  readonly reason: string
  readonly proposedBy: string
  readonly proposedTime: Instant
  /** From then on it cannot be confirmed. */
  readonly endTime: Instant
}

interface Copy {
  readonly storeName: string
  readonly instanceId: number
}

export interface DestructionReport {
  readonly destroyed: readonly (Copy & { readonly trashId: string })[]
  /** They are as before. */
  readonly kept: readonly (Copy & { readonly why: string })[]
}

export interface Destructions {
  /** Nothing goes. @throws LibrarianError `BadRequest` without a reason, `NotFound`, `Conflict` */
  propose(what: { fileName: string; reason: string }, caller: Caller, act?: Act): Promise<ShownProposal>
  /** What can be confirmed, oldest first. */
  list(limit: number): Promise<ShownProposal[]>
  /**
   * Lets all copies go, one after the other. Where some could not, it can be confirmed again within a day.
   *
   * @throws LibrarianError `NotFound`, `BadRequest`, `Conflict`: then nothing went
   */
  confirm(what: { id: string; fileName: string }, caller: Caller, act?: Act): Promise<DestructionReport>
}

export interface DestructionsOptions {
  readonly catalogue: Pick<Catalogue, 'destructions' | 'instances'>
  readonly stores: Pick<Stores, 'byId'>
  readonly gate: Pick<DeletionGate, 'destroy'>
  readonly random: (bytes: number) => Buffer
  readonly log: Log
}

export function createDestructions({ catalogue, stores, gate, random, log }: DestructionsOptions): Destructions {
  return {
    async propose({ fileName, reason }, { name: by }, act) {
      demandReason(fileName, reason)
      const id = random(16).toString('hex')
      return shownProposal(await catalogue.destructions.propose({ id, fileName, reason, by, act: act?.entry() }))
    },

    async list(limit) {
      return (await catalogue.destructions.proposed({ limit })).map(shownProposal)
    },

    async confirm({ id, fileName }, { name: by }, act) {
      const { reason } = await catalogue.destructions.confirm({ id, fileName, by, act: act?.entry() })
      const found = await catalogue.instances.ofFile({ name: fileName })
      const destroyed: DestructionReport['destroyed'][number][] = []
      const kept: DestructionReport['kept'][number][] = []
      // The gate lets one copy of a file go at a time.
      for (const { id: instanceId, store_id } of found?.instances ?? []) {
        const copy = { storeName: stores.byId(store_id)?.name ?? String(store_id), instanceId }
        try {
          const gone = await gate.destroy({ destruction: id, instanceId, actor: by, reason, call: act?.action })
          destroyed.push({ ...copy, trashId: gone.id })
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error)
          log.warn({ err: error, file: fileName, copy: instanceId }, 'a copy of a file that is destroyed was kept')
          kept.push({ ...copy, why })
        }
      }
      return { destroyed, kept }
    },
  }
}

function demandReason(fileName: string, reason: string): void {
  if (reason.trim() !== '') return
  throw new LibrarianError(
    'BadRequest',
    `Cannot propose to destroy ${fileName}: the reason must say why, it is empty`,
    {
      remedy: 'Give a reason: it stays in the audit when the file is gone.',
    },
  )
}

export function shownProposal({ id, file_name, reason, proposed_by, proposed }: Destruction): ShownProposal {
  return {
    id,
    fileName: file_name,
    reason,
    proposedBy: proposed_by,
    proposedTime: proposed,
    endTime: instantOf(new Date(millisecondsOf(proposed) + agreementSeconds * 1000)),
  }
}
