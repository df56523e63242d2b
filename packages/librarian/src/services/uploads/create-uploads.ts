import { randomBytes, randomUUID } from 'node:crypto'
import { type ExistingFile, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { IncomingTransfer, NewUpload, StageOutcome } from '../../catalogue/operations/uploads.ts'
import { ofTransfer } from '../../log/call-context.ts'
import type { Log } from '../../log.ts'
import type { Caller } from '../../routes/route.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import type { Commits } from '../commit/commits.ts'
import { announceTogether } from './announce.ts'
import { checkStageRequest } from './check-stage-request.ts'
import { describeExisting } from './describe-existing.ts'
import { offerProviders } from './offer-providers.ts'
import { removeBytes } from './remove-bytes.ts'
import { roomyStores } from './roomy-stores.ts'
import type {
  Attempt,
  ListRequest,
  Staged,
  StageRequest,
  UploadCommitRequest,
  UploadCommitted,
  UploadProvider,
  Uploads,
} from './uploads.ts'

export interface UploadsOptions {
  readonly catalogue: Pick<Catalogue, 'uploads' | 'intents' | 'serving' | 'stores'>
  readonly stores: Stores
  readonly commits: Pick<Commits, 'commit'>
  readonly alarms: Alarms
  readonly log: Log
  /** `maximal_upload_size_bytes`. */
  readonly maximalSize: number
  /** Offered after the stores' own managers. */
  readonly providers: readonly UploadProvider[]
  /** Keeps writers from the bytes of an upload that came to us (`UploadProvider`), until it is disposed of. */
  holdBytes(token: string): Promise<AsyncDisposable>
  /** Finishes a commit that was interrupted; false where somebody works on it. */
  recoverTransfer(transferId: number): Promise<boolean>
}

const roomRemedy =
  'No enabled store has so much room beyond its reserve and what is announced already. Free some, add a store, or lower `reserve` ' +
  'in the `store_data` of one (default: 5 % of the disk, and 10 GiB at least) and start once with --migrate-stores.'

const closedRemedy =
  'No store takes uploads now, whatever their size: every one is switched off, unavailable, or not for uploads; tell the operator, ' +
  'who finds out by `arriero stores`.'

export function createUploads(options: UploadsOptions): Uploads {
  const { catalogue, stores, commits, alarms, maximalSize, providers, holdBytes, recoverTransfer } = options

  const announce = announceTogether(async uploads => {
    const { outcomes, replaced } = await catalogue.uploads.stage({ uploads, stores: await roomyStores(stores) })
    await Promise.all(replaced.map(transfer => removeBytes(transfer, options)))
    return outcomes
  })

  async function stageMany(requests: readonly StageRequest[], caller: Caller): Promise<Attempt<Staged>[]> {
    const attempts = new Map<StageRequest, Attempt<Staged>>()
    const good = requests.filter(request => {
      const problem = problemOf(() => checkStageRequest(request, maximalSize))
      if (problem) attempts.set(request, { ok: false, error: problem })
      return !problem
    })
    const outcomes = await announce(good.map(request => newUpload(request, caller)))
    const existing = await describeExisting(obstaclesOf(outcomes), { catalogue, stores })
    await Promise.all(
      good.map(async (request, index) => attempts.set(request, await attempt(() => open(outcomes[index]!, existing)))),
    )
    return requests.map(request => attempts.get(request)!)
  }

  async function stage(request: StageRequest, caller: Caller): Promise<Staged> {
    const [outcome] = await stageMany([request], caller)
    const staged = unwrap(outcome!)
    ofTransfer(staged.transfer.id)
    return staged
  }

  async function open(outcome: StageOutcome, existing: ReadonlyMap<string, ExistingFile>): Promise<Staged> {
    if (outcome.outcome === 'refused') throw await refusal(outcome, existing)
    const { transfer, free } = outcome
    const site = siteOf(transfer)
    const stagingName = transfer.staging_path!
    try {
      const stagingLocation = site.store.capabilities.hasStaging
        ? await site.store.openStaging(stagingName, transfer.upload_name)
        : `/${stagingName}/${transfer.upload_name}`
      return {
        transfer,
        store: site,
        free,
        stagingName,
        stagingLocation,
        providers: offerProviders(transfer, site, providers),
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      await catalogue.uploads.end({ ids: [transfer.id], status: 'FAILED', reason })
      throw error
    }
  }

  async function refusal(
    { code, message, obstacle }: StageOutcome & { outcome: 'refused' },
    existing: ReadonlyMap<string, ExistingFile>,
  ): Promise<LibrarianError> {
    if (code === 'NoStore') {
      const caller = 'uploads'
      const lost = await lostStore()
      if (lost !== undefined) {
        await alarms.raise({ severity: 'error', category: 'data_availability', message: lost, caller })
        return new LibrarianError(code, message, {
          remedy: 'A store belongs to another librarian now; tell the operator.',
        })
      }
      const closed = await whyAllClosed()
      if (closed !== undefined) {
        await alarms.raise({ severity: 'error', category: 'data_availability', message: closed, caller })
        return new LibrarianError(code, message, { remedy: closedRemedy })
      }
      const remedy = await inodesRemedy()
      await alarms.raise({
        severity: 'error',
        category: 'store_full',
        message: `An upload was refused: ${message} ${remedy ?? roomRemedy}`,
        caller,
      })
      if (remedy !== undefined) return new LibrarianError(code, message, { remedy })
    }
    if (obstacle === undefined) return new LibrarianError(code, message)
    return new LibrarianError(code, message, { fields: { existing_file: obstacle, existing: existing.get(obstacle) } })
  }

  /** In words, for the operator. */
  async function lostStore(): Promise<string | undefined> {
    for (const { name, store, ingestable } of stores.all) {
      const state = ingestable ? await store.state() : undefined
      if (state && !state.available && state.otherKeeper) {
        return `An upload was refused: store ${name} is not available: ${state.reason}. ${state.remedy}`
      }
    }
    return undefined
  }

  /** In words, for the operator; undefined: a store takes uploads, if only small ones. */
  async function whyAllClosed(): Promise<string | undefined> {
    const rows = new Map((await catalogue.stores.list()).map(row => [row.id, row]))
    const reasons: string[] = []
    for (const { id, name, store, ingestable } of stores.all) {
      if (!ingestable) continue
      const state = await store.state()
      if (state.available && rows.get(id)?.enabled) return undefined
      reasons.push(
        state.available
          ? `${name} is switched off (arriero stores enable ${name})`
          : `${name} is not available: ${state.reason}`,
      )
    }
    const why = reasons.length === 0 ? 'none is `ingestable` by its settings' : reasons.join('; ')
    return `An upload was refused, because no store takes any: ${why}.`
  }

  /** Undefined: every store that takes uploads has inodes. */
  async function inodesRemedy(): Promise<string | undefined> {
    for (const { name, store, ingestable } of stores.all) {
      const state = ingestable ? await store.state() : undefined
      if (state?.available && state.lacks === 'inodes') {
        return `The disk of store ${name} is short of inodes, not of bytes (\`df -i\` shows them): remove files that are not needed from it, or add a store; then try again.`
      }
    }
    return undefined
  }

  function siteOf({ id, store_id }: IncomingTransfer): SiteStore {
    const site = store_id === null ? undefined : stores.byId(store_id)
    if (site) return site
    throw new LibrarianError(
      'Conflict',
      `Transfer ${id} has no store: it was refused, or its store is not in the settings any more`,
    )
  }

  async function commit(request: UploadCommitRequest, caller: Caller): Promise<UploadCommitted> {
    ofTransfer(request.transferId)
    return commitTransfer(request, await ownTransfer(request.transferId, caller))
  }

  /** One question for all of them. */
  async function commitMany(
    requests: readonly UploadCommitRequest[],
    caller: Caller,
  ): Promise<Attempt<UploadCommitted>[]> {
    const transfers = await catalogue.uploads.getMany({ ids: requests.map(({ transferId }) => transferId) })
    const byId = new Map(transfers.map(transfer => [transfer.id, transfer]))
    const one = async (request: UploadCommitRequest) =>
      commitTransfer(request, requireOwn(request.transferId, byId.get(request.transferId), caller))
    return Promise.all(requests.map(request => attempt(() => one(request))))
  }

  async function commitTransfer(request: UploadCommitRequest, transfer: IncomingTransfer): Promise<UploadCommitted> {
    const site = stores.byName(request.storeName ?? '') ?? siteOf(transfer)
    if (request.storeName !== undefined && site.name !== request.storeName) {
      throw new LibrarianError(
        'NotFound',
        `Cannot commit transfer ${transfer.id}: there is no store ${request.storeName}`,
      )
    }
    checkIsAsAnnounced(request, transfer, site)
    const name = transfer.store_path
    if (transfer.status === 'COMPLETED') return { outcome: 'same', name }
    const wanted = commitRequestOf(request, transfer, site)
    await makeEmptySpool(wanted)
    const go = async () => ({ ...(await commits.commit(wanted)), name })
    try {
      return await go()
    } catch (error) {
      if (!(error instanceof LibrarianError) || error.code !== 'NameTaken') throw error
      // It may be this very transfer, from before a crash.
      if (!(await catalogue.intents.ofTransfer({ transferId: transfer.id }))) throw error
      if (!(await recoverTransfer(transfer.id))) throw error
      return await go()
    }
  }

  function commitRequestOf(request: UploadCommitRequest, transfer: IncomingTransfer, store: SiteStore) {
    const origin = providers.find(({ name }) => name === request.provider)?.originOf(transfer)
    return {
      name: transfer.store_path,
      store,
      origin: origin ?? {
        from: 'staging' as const,
        id: transfer.staging_path!,
        uploadName: transfer.upload_name,
      },
      size: transfer.transfer_size,
      checksum: transfer.transfer_checksum === '' ? undefined : transfer.transfer_checksum,
      transferId: transfer.id,
      manager: request.provider,
      deletionPolicy: request.deletionPolicy,
      uploader: transfer.uploader,
      source: transfer.source,
      firstUploader: transfer.first_uploader ?? undefined,
      ...(origin?.from === 'spool' ? { hold: () => holdBytes(transfer.token) } : {}),
    }
  }

  /** Of an empty file all bytes are there before any came: whoever sends it need not append anything (tus 1.0). */
  async function makeEmptySpool({ origin, size, store: { store } }: ReturnType<typeof commitRequestOf>): Promise<void> {
    if (size > 0 || origin.from !== 'spool' || ('archive' in origin && origin.archive !== undefined)) return
    await using _ = await store.openSpool(origin.id)
  }

  /** Not even an administrator commits for others: what was uploaded is its owner's word. */
  async function ownTransfer(id: number, caller: Caller): Promise<IncomingTransfer> {
    return requireOwn(id, await catalogue.uploads.get({ id }), caller)
  }

  function requireOwn(id: number, transfer: IncomingTransfer | undefined, caller: Caller): IncomingTransfer {
    if (!transfer) throw new LibrarianError('NotFound', `There is no transfer ${id}`)
    if (transfer.source === caller.name) return transfer
    // In the words of the other: most endpoints answer both alike.
    throw new LibrarianError('NotYours', `There is no transfer ${id}`)
  }

  async function abort(transferId: number, caller: Caller): Promise<IncomingTransfer> {
    const transfer =
      caller.level === 'ADMIN' ? await catalogue.uploads.get({ id: transferId }) : await ownTransfer(transferId, caller)
    if (!transfer) throw new LibrarianError('NotFound', `There is no transfer ${transferId}`)
    const [ended] = await catalogue.uploads.end({
      ids: [transferId],
      status: 'CANCELLED',
      reason: `cancelled by ${caller.name}`,
    })
    if (ended) {
      await removeBytes(ended, options)
      return ended
    }
    const now = await catalogue.uploads.get({ id: transferId })
    if (now?.status === 'CANCELLED' || now?.status === 'FAILED') return now
    const met = now?.status === 'COMPLETED' ? 'it is COMPLETED' : 'it is being committed now'
    throw new LibrarianError('Conflict', `Cannot cancel transfer ${transferId}: ${met}`)
  }

  async function expire(olderThanSeconds: number): Promise<number> {
    const ids = await catalogue.uploads.abandoned({ olderThanSeconds, limit: 1000 })
    const reason = `nobody committed it within ${olderThanSeconds} s`
    const ended = await catalogue.uploads.end({ ids, status: 'FAILED', reason })
    await Promise.all(ended.map(transfer => removeBytes(transfer, options)))
    return ended.length
  }

  return {
    stage,
    stageMany,
    commit,
    commitMany,
    abort,
    list: (request: ListRequest, caller) =>
      catalogue.uploads.list({ ...request, owner: caller.level === 'ADMIN' ? undefined : caller.name }),
    async get(id, caller) {
      const transfer = await catalogue.uploads.get({ id })
      if (transfer && (caller.level === 'ADMIN' || transfer.source === caller.name)) return transfer
      throw new LibrarianError('NotFound', `There is no transfer ${id}`)
    },
    expire,
  }
}

function newUpload(
  { name, uploadName, size, checksum, uploader, isTree }: StageRequest,
  { name: source }: Caller,
): NewUpload {
  return {
    name,
    uploadName,
    size,
    checksum: checksum ?? '',
    uploader,
    source,
    stagingId: randomUUID(),
    token: randomBytes(16).toString('hex'),
    isTree,
  }
}

function checkIsAsAnnounced(request: UploadCommitRequest, transfer: IncomingTransfer, site: SiteStore): void {
  const { id, store_path, store_id } = transfer
  if (request.name !== undefined && request.name !== store_path) {
    throw new LibrarianError(
      'Conflict',
      `Cannot commit transfer ${id}: its name must be ${store_path}, as announced, got ${request.name}`,
    )
  }
  if (store_id !== null && store_id !== site.id) {
    throw new LibrarianError('Conflict', `Cannot commit transfer ${id}: it was not announced to store ${site.name}`)
  }
}

/** Names that are taken: nobody can say of them that they are kept without a look at their copies. */
function obstaclesOf(outcomes: readonly StageOutcome[]): string[] {
  const names = outcomes.flatMap(outcome => (outcome.outcome === 'refused' ? (outcome.obstacle ?? []) : []))
  return [...new Set(names)]
}

async function attempt<T>(act: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await act() }
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error : new Error(String(error)) }
  }
}

function problemOf(check: () => void): Error | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return error as Error
  }
}

function unwrap<T>(attempted: Attempt<T>): T {
  if (attempted.ok) return attempted.value
  throw attempted.error
}
