/**
 * The deletion gate: the one way by which a copy's bytes leave their name (reliability B1–B4, B6, B7, 8.12).
 *
 *   read        every other copy of the file at this site that is on another device, in full, now
 *   demand      as many good ones as the floor says, and not a single bad one among them
 *   tx 1        the copy is going; the proofs are still there; the brake allows it
 *   trash       its bytes move into the store's trash, on the same filesystem
 *   trail       a line in the store's manifest
 *   tx 2        its row goes; the trash's row stays
 *
 * It fails closed: what cannot be asked, read or written keeps the copy. Killed in between, `recover` looks where the bytes
 * are, and goes on or takes it back. Not here: purging the trash, and copies at other librarians, which count as nothing.
 */
import { randomBytes } from 'node:crypto'
import { type Instant, instantOf, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Trash } from '../../catalogue/operations/deletions.ts'
import type { File, Instance } from '../../catalogue/operations/instances.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import { type CopyReader, findFile } from '../copies/read-copies.ts'
import type { Presence } from '../presence.ts'

export interface DeletionRequest {
  readonly instanceId: number
  /** Recorded with the trash. */
  readonly reason: string
  /** Good copies that must remain. Default and least: 1. */
  readonly floor?: number
}

export interface Deletion {
  /** Of the trash. */
  readonly id: string
  readonly fileName: string
  readonly proofInstanceIds: readonly number[]
}

export interface DeletionGate {
  /** @throws LibrarianError `NotFound`, `KeepsLastCopy`, `StoreUnavailable`, `Busy`, `TooMany`: then the copy is as before */
  remove(request: DeletionRequest): Promise<Deletion>
  /** Goes on with, or takes back, what was interrupted. What cannot be looked at is left. */
  recover(): Promise<void>
}

export interface DeletionGateOptions {
  readonly catalogue: Pick<Catalogue, 'instances' | 'deletions'>
  readonly stores: Stores
  readonly reader: CopyReader
  /** Of this process, and who else is alive. */
  readonly presence: Pick<Presence, 'holder' | 'gone'>
  readonly clock: Clock
  readonly log: Log
}

export function createDeletionGate(options: DeletionGateOptions): DeletionGate {
  const { catalogue, stores, reader, presence, clock, log } = options
  const { holder } = presence

  async function remove({ instanceId, reason, floor = 1 }: DeletionRequest): Promise<Deletion> {
    const { file, victim, site, others } = await look(instanceId)
    const proofInstanceIds = await prove(file, victim, site, others, Math.max(1, floor))
    const id = randomBytes(16).toString('hex')
    const trash = await catalogue.deletions.begin({ id, holder, instanceId, reason, proofInstanceIds })
    await carryOut(file, victim, trash, site)
    return { id, fileName: file.name, proofInstanceIds }
  }

  async function look(instanceId: number) {
    const found = await catalogue.instances.get({ id: instanceId })
    if (!found) throw new LibrarianError('NotFound', `Cannot delete copy ${instanceId}: there is none with this number`)
    const { file, instances } = await findFile(catalogue, found.file_name)
    const victim = instances.find(({ id }) => id === instanceId) ?? found
    const site = await demandStore(victim)
    const others = instances.filter(other => other.id !== instanceId && other.available === 1)
    return { file, victim, site, others }
  }

  async function demandStore({ store_id, path }: Instance): Promise<SiteStore> {
    const site = stores.byId(store_id)
    const state = await site?.store.state()
    if (site && state?.available) return site
    const why = state && !state.available ? state.reason : 'it is not in the settings'
    throw new LibrarianError('StoreUnavailable', `Cannot delete ${path}: its store must be there: ${why}`)
  }

  /** Copies that were read in full just now, on other devices, and are what was recorded. */
  async function prove(
    file: File,
    victim: Instance,
    site: SiteStore,
    others: readonly Instance[],
    floor: number,
  ): Promise<number[]> {
    const independent = await independentOf(site, others)
    const readings = await Promise.all(independent.map(copy => reader.read(file, copy, { isDirect: true })))
    const keeps = (why: string) => new LibrarianError('KeepsLastCopy', `Cannot delete ${victim.path}: ${why}`)
    const bad = readings.findIndex(({ state }) => state !== 'ok')
    if (bad >= 0) {
      throw keeps(`all other copies must be good, ${independent[bad]!.path} is ${readings[bad]!.state}`)
    }
    if (independent.length < floor) {
      throw keeps(`${floor} good copies must remain on other devices at this site, there are ${independent.length}`)
    }
    return independent.map(({ id }) => id)
  }

  /** One per device, and none on the victim's own: what is lost together counts once. */
  async function independentOf(site: SiteStore, others: readonly Instance[]): Promise<Instance[]> {
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

  async function carryOut(file: File, victim: Instance, trash: Trash, { store }: SiteStore): Promise<void> {
    try {
      await store.trash(file.name, trash.id)
    } catch (error) {
      await takeBackIfThere(trash, store)
      throw error
    }
    await complete(file, victim, trash, store)
  }

  async function complete(file: File, victim: Instance, trash: Trash, store: SiteStore['store']): Promise<void> {
    await store.appendTrail([trailRecordOf(file, victim, instantOf(new Date(clock.wallNow())))])
    // Taken back by another process, which took this one for dead: then the bytes go back as well.
    if (!(await catalogue.deletions.finish({ id: trash.id }))) await store.restore(trash.file_name, trash.id)
  }

  async function takeBackIfThere({ id, file_name }: Trash, store: SiteStore['store']): Promise<void> {
    const stat = await store.stat(file_name).catch(() => undefined)
    if (stat) await catalogue.deletions.cancel({ id })
  }

  async function recover(): Promise<void> {
    const interrupted = await catalogue.deletions.interrupted()
    const gone = await presence.gone([...new Set(interrupted.map(trash => trash.holder))])
    for (const trash of interrupted) {
      if (!gone.has(trash.holder)) continue
      try {
        await recoverOne(trash)
      } catch (error) {
        log.warn({ err: error, file: trash.file_name }, 'an interrupted deletion waits')
      }
    }
  }

  async function recoverOne(trash: Trash): Promise<void> {
    const victim = await catalogue.instances.get({ id: trash.instance_id })
    if (!victim) return
    const { file } = await findFile(catalogue, trash.file_name)
    const { store } = await demandStore(victim)
    if (await store.stat(trash.file_name)) {
      // The proofs are old by now: whoever wants it gone asks again.
      await catalogue.deletions.cancel({ id: trash.id })
      return
    }
    // Again, so that both directories are durable.
    await store.trash(trash.file_name, trash.id)
    await complete(file, victim, trash, store)
  }

  return { remove, recover }
}

function trailRecordOf(file: File, { deletion_policy }: Instance, time: Instant): TrailRecord {
  const { name, kind, size, checksum, sha256, is_attested, create_time, uploader, source } = file
  const what = { name, kind, size, checksum, sha256, create_time, uploader, source, deletion_policy }
  return { action: 'trash', time, is_attested: is_attested === 1, ...what }
}
