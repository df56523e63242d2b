import { randomBytes, randomUUID } from 'node:crypto'
import { LibrarianError, parseFileName } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Movable, Mover, NewClone, Repeated, Unmoved } from '../../catalogue/operations/receiving.ts'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { TransferStatus } from '../../catalogue/schema.ts'
import type { Log } from '../../log.ts'
import type { Caller } from '../../routes/route.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import { removeBytes } from '../uploads/remove-bytes.ts'
import { closedStores, roomyStores } from '../uploads/roomy-stores.ts'
import type { Announcement, Clones, Pair, StagedClone, StagedClones } from './clones.ts'
import { refuseRepeated } from './refuse-repeated.ts'
import { type Origin, sourceOf } from './source-of.ts'

export interface ClonesOptions {
  readonly catalogue: Pick<Catalogue, 'receiving' | 'uploads'>
  readonly stores: Stores
  readonly alarms: Alarms
  readonly log: Log
  /** Something is to be fetched from these librarians now. */
  readonly onPull: (peers: readonly string[]) => void
}

export function createClones(options: ClonesOptions): Clones {
  const { catalogue, stores, alarms, log, onPull } = options

  async function peersAmong(...names: string[]): Promise<ReadonlySet<string>> {
    return new Set(await catalogue.receiving.knownPeers({ names }))
  }

  async function announce(clones: readonly NewClone[], total: number): Promise<StagedClones> {
    const result = await catalogue.receiving.stage({
      clones,
      total,
      stores: await roomyStores(stores),
      closedStores: await closedStores(stores),
    })
    if (result.outcome === 'no-room') throw await refuseForRoom(total)
    await Promise.all(result.ended.map(transfer => removeBytes(transfer, options)))
    if (result.outcome === 'repeated') throw new RepeatedClones(result.repeated)
    const store = stores.byId(result.storeId)!
    return { store, free: result.free, clones: await openAll(result.transfers, store) }
  }

  /** Either all have a place, or none is open any more. */
  async function openAll(transfers: readonly IncomingTransfer[], site: SiteStore): Promise<StagedClone[]> {
    try {
      return await Promise.all(transfers.map(transfer => open(transfer, site)))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const ended = await catalogue.receiving.fail({ failures: transfers.map(({ id }) => ({ id, reason })) })
      await Promise.all(ended.map(transfer => removeBytes(transfer, options)))
      throw error
    }
  }

  async function refuseForRoom(total: number): Promise<LibrarianError> {
    const message = 'No store has room for these clones.'
    await alarms.raise({
      severity: 'error',
      category: 'store_full',
      message:
        'Clones were refused: no store that is there, switched on and `ingestable` has more room than they need.',
      caller: 'clones',
    })
    log.info({ total }, 'clones were refused for want of room')
    return new LibrarianError('NoStore', message)
  }

  async function move(
    { destinationTransferId: id }: Pair,
    { to, from, reason = '' }: { to: Movable; from?: readonly TransferStatus[]; reason?: string },
    caller: Caller,
  ): Promise<IncomingTransfer | Unmoved> {
    const mover = moverOf(caller)
    const { moved, unmoved } = await catalogue.receiving.move({ ids: [id], to, from, mover, reason, onlyClones: true })
    return moved[0] ?? unmoved[0]!
  }

  async function step(
    pair: Pair,
    wanted: { to: Movable; from: readonly TransferStatus[] },
    caller: Caller,
  ): Promise<void> {
    const met = await move(pair, wanted, caller)
    if ('why' in met) throw refusal(met, wanted.to)
  }

  return {
    async stage({ source, ...announcement }, caller) {
      const { size, uploader } = announcement
      if (size < 0) throw badSize(size)
      checkNames(announcement)
      const origin = sourceOf({ source, uploader }, await peersAmong(source, uploader), caller)
      try {
        return await announce([newClone(announcement, origin, caller)], size)
      } catch (error) {
        if (!(error instanceof RepeatedClones)) throw error
        const { code, transferId = -1 } = error.repeated[0]!
        throw new LibrarianError(code, error.message, { fields: { destination_transfer_id: transferId } })
      }
    },

    async stageMany({ source, total, clones }, caller) {
      const sizes = [total, ...clones.map(({ size }) => size)]
      const bad = sizes.find(size => size < 0)
      if (bad !== undefined) throw badSize(bad)
      const usable = withUsableNames(clones, problem => log.warn({ source }, `A clone was left out: ${problem}`))
      checkDistinct(usable)
      const peers = await peersAmong(source)
      const all = usable.map(clone => {
        return newClone(clone, sourceOf({ source, uploader: clone.uploader }, peers, caller), caller)
      })
      try {
        return await announce(all, total)
      } catch (error) {
        throw error instanceof RepeatedClones ? refuseRepeated(error.repeated) : error
      }
    },

    ongoing: (pair, caller) => step(pair, { to: 'ONGOING', from: ['INITIATED'] }, caller),
    staged: (pair, caller) => step(pair, { to: 'STAGED', from: ['ONGOING'] }, caller),

    async fail({ reason, ...pair }, caller) {
      const met = await move(pair, { to: 'FAILED', reason: `its sender has ended it: ${reason.slice(0, 500)}` }, caller)
      if (!('why' in met)) return await removeBytes(met, options)
      const isOver = met.why === 'state' && (met.status === 'FAILED' || met.status === 'CANCELLED')
      if (!isOver) throw refusal(met, 'FAILED')
    },

    async pull(pairs, caller) {
      const { accepted, refused, peers } = await catalogue.receiving.pull({
        pairs: pairs.map(({ sourceTransferId, destinationTransferId: id }) => ({ sourceTransferId, id })),
        mover: moverOf(caller),
      })
      onPull(peers)
      return { accepted, refused }
    },
  }
}

class RepeatedClones extends Error {
  readonly repeated: readonly Repeated[]

  constructor(repeated: readonly Repeated[]) {
    super('Cannot take a clone that was announced before, or is kept already')
    this.repeated = repeated
  }
}

export function moverOf({ name, level }: Caller): Mover {
  return { name, isAdmin: level === 'ADMIN' }
}

function newClone(
  { name, uploadName, size, checksum, sourceTransferId }: Announcement,
  { source, firstUploader }: Origin,
  { name: account }: Caller,
): NewClone {
  const stagingId = randomUUID()
  const token = randomBytes(16).toString('hex')
  return { name, uploadName, size, checksum, account, source, firstUploader, sourceTransferId, stagingId, token }
}

async function open(transfer: IncomingTransfer, site: SiteStore): Promise<StagedClone> {
  const { store } = site
  const stagingName = transfer.staging_path!
  const stagingLocation = store.capabilities.hasStaging
    ? await store.openStaging(stagingName, transfer.upload_name, { leadsIn: hasCopiers(site) })
    : `/${stagingName}/${transfer.upload_name}`
  return { transfer, stagingName, stagingLocation }
}

/** Whether a sender may be told to copy into the staging area. Whoever fetches by itself need not wait for directories. */
function hasCopiers({ asyncTransferManagers = {} }: SiteStore): boolean {
  return Object.values(asyncTransferManagers).some(({ available, hostnames }) => {
    return Boolean(available) && Array.isArray(hostnames) && hostnames.length > 0
  })
}

function badSize(size: number): LibrarianError {
  return new LibrarianError('BadSize', `Cannot take a clone of ${size} bytes: a size must be 0 or more`)
}

function checkNames({ name, uploadName }: Announcement): void {
  parseFileName(name)
  parseFileName(uploadName)
}

/** @throws LibrarianError BadName where none is left */
function withUsableNames(
  clones: readonly Announcement[],
  onProblem: (problem: string) => void,
): readonly Announcement[] {
  const problems: LibrarianError[] = []
  const usable = clones.filter(clone => {
    try {
      checkNames(clone)
      return true
    } catch (error) {
      problems.push(error as LibrarianError)
      return false
    }
  })
  if (problems.length > 0 && usable.length === 0) throw problems[0]
  for (const { message } of problems) onProblem(message)
  return usable
}

function checkDistinct(clones: readonly Announcement[]): void {
  const names = new Set(clones.map(({ name }) => name))
  const numbers = clones.flatMap(({ sourceTransferId }) => (sourceTransferId < 0 ? [] : [sourceTransferId]))
  if (names.size === clones.length && new Set(numbers).size === numbers.length) return
  throw new LibrarianError('BadRequest', 'Cannot take the batch: each name and each number must be there only once')
}

function refusal({ id, why, status }: Unmoved, to: Movable): LibrarianError {
  if (why === 'unknown') return new LibrarianError('NotFound', `There is no transfer ${id}`)
  if (why === 'foreign') return new LibrarianError('NotYours', `There is no transfer ${id}`)
  const met = why === 'busy' ? 'it is being committed now' : `it is ${status}`
  return new LibrarianError('Conflict', `Cannot set transfer ${id} to ${to}: ${met}`)
}
