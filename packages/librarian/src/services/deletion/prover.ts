/**
 * Whether a copy may go (reliability B1, B3): every other copy at this site that is on a device of its own is read in full
 * now, and where these are not enough, other librarians are challenged to prove theirs. As many must be good as the floor says,
 * and not a single one may be bad. A librarian of release 5.0.1 cannot be challenged: what it says counts for nothing (E5).
 */
import { type Instant, instantOf } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Evidence } from '../../catalogue/operations/deletions.ts'
import type { File, Instance } from '../../catalogue/operations/instances.ts'
import type { Clock } from '../../clock.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import { type CopyReader, findFile } from '../copies/read-copies.ts'
import type { PeerProofReport, PeerProofs, ProvenCopy } from '../proofs/peer-proofs.ts'

export interface Victim {
  readonly instanceId: number
  readonly fileName: string
  readonly site: SiteStore
  /** It is in the trash already, under this id. */
  readonly trashId?: string | undefined
}

export interface Demand {
  /** Good copies that must remain, here and elsewhere together. */
  readonly floor: number
  /** As many of them, at least, at other librarians. */
  readonly remote: number
  /** How long what other librarians prove is kept from being deleted there, s; 0: it is not. */
  readonly holdSeconds: number
}

export interface Verdict {
  /** Good copies here, none of which is lost together with another or with the victim. */
  readonly proofInstanceIds: readonly number[]
  /** Good copies at other librarians, each store of theirs once. */
  readonly proven: readonly ProvenCopy[]
  /** All that was read, here and elsewhere, and what was found. */
  readonly evidence: readonly Evidence[]
  /** Undefined: it may go. */
  readonly whyNot: string | undefined
}

/** For the reading of large files at several librarians, which ends at the latest with the slowest. */
export const holdSeconds = 3600

export type Prove = (victim: Victim, demand: Demand) => Promise<Verdict>

export interface ProverOptions {
  readonly catalogue: Pick<Catalogue, 'instances'>
  readonly stores: Stores
  readonly reader: Pick<CopyReader, 'read'>
  readonly clock: Pick<Clock, 'wallNow'>
  /** Default: other librarians count for nothing. */
  readonly peers?: PeerProofs | undefined
}

/** What other librarians said; without them, what is said by nobody. */
type Others = Pick<PeerProofReport, 'proven' | 'disagreeing' | 'claimed' | 'unreachable'> & {
  /** Why nothing of it proves anything. */
  readonly worthless?: string
}

const nobody: Others = { proven: [], disagreeing: [], claimed: [], unreachable: [] }

export function createProver({ catalogue, stores, reader, clock, peers }: ProverOptions): Prove {
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

  async function readHere(file: File, copies: readonly Instance[]): Promise<Evidence[]> {
    const readings = await Promise.all(copies.map(copy => reader.read(file, copy, { isDirect: true })))
    return copies.map((copy, at) => {
      const { state, medium } = readings[at]!
      const store = stores.byId(copy.store_id)?.name ?? String(copy.store_id)
      return { instance: copy.id, store, state, medium, time: now() }
    })
  }

  async function ask(victim: Victim, here: readonly Evidence[], { holdSeconds }: Demand): Promise<Others> {
    if (!peers) return nobody
    const mayGo = ({ holdId }: ProvenCopy) => holdSeconds > 0 && holdId === undefined
    const { fileName, instanceId, trashId } = victim
    // Which of our copies is compared with theirs: one that was found good, or the one that is to go.
    const good = here.find(({ state }) => state === 'ok')?.instance
    const own = good === undefined ? { instanceId, trashId } : { instanceId: good }
    const report = await peers.ask({ fileName, ...own, holdSeconds })
    const { disagreeing, claimed, unreachable } = report
    const [going, proven] = [report.proven.filter(mayGo), report.proven.filter(copy => !mayGo(copy))]
    const said = { proven, disagreeing, claimed, unreachable: [...unreachable, ...going.map(lost)] }
    if (report.own.state === 'ok') return said
    const worthless = `a copy of ours must be good to be compared with others, it is ${report.own.state}`
    return { ...said, proven: [], worthless }
  }

  function now(): Instant {
    return instantOf(new Date(clock.wallNow()))
  }

  return async (victim, demand) => {
    const { file, instances } = await findFile(catalogue, victim.fileName)
    const others = instances.filter(({ id, available }) => id !== victim.instanceId && available === 1)
    const here = await readHere(file, await independentOf(victim, others))
    const isSettled = badOf(here) !== undefined || (here.length >= demand.floor && demand.remote === 0)
    const elsewhere = isSettled ? nobody : await ask(victim, here, demand)
    return {
      proofInstanceIds: here.filter(({ state }) => state === 'ok').map(({ instance }) => instance),
      proven: elsewhere.proven,
      evidence: [...here, ...evidenceOf(elsewhere, now())],
      whyNot: whyNot(here, elsewhere, demand),
    }
  }
}

/** It is good, and was announced to go, or others keep it from being held: nobody may count on it. */
function lost({ librarian }: ProvenCopy): PeerProofReport['unreachable'][number] {
  return { librarian, reason: 'its copy is good, but may go' }
}

function badOf(here: readonly Evidence[]): Evidence | undefined {
  return here.find(({ state }) => state !== 'ok')
}

function evidenceOf({ proven, disagreeing, claimed }: Others, time: Instant): Evidence[] {
  const medium = 'peer-challenge'
  const of = ({ librarian, storeId, instanceId }: Pick<ProvenCopy, 'librarian' | 'storeId' | 'instanceId'>) => {
    return { instance: instanceId, store: String(storeId), librarian, time }
  }
  return [
    ...proven.map(copy => ({ ...of(copy), state: 'ok', medium })),
    ...disagreeing.map(copy => ({ ...of(copy), state: copy.state, medium })),
    ...claimed.map(copy => ({ ...of(copy), state: 'ok', medium: 'claim' })),
  ]
}

function whyNot(here: readonly Evidence[], elsewhere: Others, { floor, remote }: Demand): string | undefined {
  const bad = badOf(here)
  if (bad) return `all other copies must be good, the one on ${bad.store} is ${bad.state}`
  const [wrong] = elsewhere.disagreeing
  if (wrong) return `all other copies must be good, the one of ${wrong.librarian} is ${wrong.state}: ${wrong.reason}`
  const count = elsewhere.proven.length
  if (here.length + count >= floor && count >= remote) return undefined
  const lack =
    here.length + count < floor
      ? `${goodCopies(floor)} must remain on other devices or at other librarians, there are ${here.length + count}`
      : `${goodCopies(remote)} must remain at other librarians, there are ${count}`
  return [lack, ...whatDoesNotCount(elsewhere)].join('; ')
}

function goodCopies(count: number): string {
  return count === 1 ? '1 good copy' : `${count} good copies`
}

function whatDoesNotCount({ claimed, unreachable, worthless }: Others): string[] {
  const names = [...new Set(claimed.map(({ librarian }) => librarian))].join(', ')
  return [
    ...(worthless === undefined ? [] : [worthless]),
    ...(names === '' ? [] : [`what ${names} says it has is a claim, not a proof, since it cannot be challenged`]),
    ...unreachable.map(({ librarian, reason }) => `${librarian} proved nothing: ${reason}`),
  ]
}
