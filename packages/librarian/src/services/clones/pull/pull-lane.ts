/**
 * All that is to be fetched from one librarian, until nothing is left:
 *
 *   small files    some hundreds as one bundle, a few bundles at once; each is digested, put into its spool, committed
 *   large files    by the engine into their spools, from what is durable of them
 *   trees          as an archive into a spool (`fetch-tree.ts`)
 *
 * Files that arrived are committed while others are fetched, and share commits with their neighbours. A file that the sender
 * cannot give fails alone, and its sender is told why; what may go better later is tried again, a few times. When the librarian
 * itself is gone, everything that is open stays so.
 */
import { LibrarianError } from '@arriero/api'
import { type Engine, TransferError } from '@arriero/transfer'
import type { Catalogue } from '../../../catalogue/catalogue.ts'
import { pullManager } from '../../../catalogue/operations/receiving.ts'
import type { IncomingTransfer } from '../../../catalogue/operations/uploads.ts'
import type { DeletionPolicy } from '../../../catalogue/schema.ts'
import type { Log } from '../../../log.ts'
import type { Stores } from '../../../stores/stores.ts'
import type { CommitOrigin } from '../../commit/commits.ts'
import { createLimit, type Limit } from '../../limit.ts'
import type { PeerConnection } from '../../peer-connections.ts'
import { removeBytes } from '../../uploads/remove-bytes.ts'
import { askToLook } from '../ask-to-look.ts'
import { type CommitCloneOptions, commitClone, storeOf } from '../commit-clone.ts'
import { storesThere } from '../stores-there.ts'
import { Budget } from './budget.ts'
import type { Arrived } from './fetch-bundle.ts'
import { fetchLarge } from './fetch-large.ts'
import { fetchSmall } from './fetch-small.ts'
import { Link } from './link.ts'
import { checkIsUp, PeerDown } from './peer-down.ts'
import { PeerRequests } from './peer-requests.ts'
import { Slabs } from './slabs.ts'
import { costOf, type Taken, TakenGroup } from './taken-group.ts'
import type { Tries } from './tries.ts'

export interface PullLaneOptions extends CommitCloneOptions {
  readonly catalogue: Pick<Catalogue, 'receiving' | 'intents' | 'uploads'>
  readonly stores: Stores
  readonly peer: PeerConnection
  /** One for each librarian: what it may reach is that librarian alone. */
  readonly openEngine: (peer: PeerConnection) => Engine
  /** Of what was fetched. */
  readonly deletionPolicy: DeletionPolicy
  /** Of all lanes of this process. */
  readonly tries: Tries
  readonly log: Log
  readonly signal: AbortSignal
  /** A message was written. */
  readonly onEnd: () => void
  /** Something came from it. */
  readonly onHeard?: (() => void) | undefined
  /** How often it is looked whether a large file still is wanted; ms. Default 30,000. */
  readonly watchMs?: number | undefined
}

/** Up to here a file comes in a bundle. */
const SMALL = 1 << 20
/** Of a bundle. */
const MOST_FILES = 1024
const MOST_BYTES = 16 << 20
const BUNDLES = 3
const LARGE = 4
/** Of files that arrived in bundles and are not committed yet. */
const MOST_UNCOMMITTED = 128 << 20
const PAGE = 2000

/** Resolves to how many are left for later. @throws PeerDown */
export async function runPullLane(options: PullLaneOptions): Promise<number> {
  const lane = new PullLane(options)
  try {
    return await lane.run()
  } finally {
    await lane.close()
  }
}

class PullLane {
  readonly #o: PullLaneOptions
  readonly #bundles: Limit = createLimit(BUNDLES)
  readonly #large: Limit = createLimit(LARGE)
  readonly #uncommitted = new Budget(MOST_UNCOMMITTED)
  readonly #slabs = new Slabs()
  readonly #running = new Set<Promise<void>>()
  /** The librarian is gone: what runs is ended. */
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #way: { readonly requests: PeerRequests; readonly link: Link }
  #engine: Engine | undefined
  #ended = 0

  constructor(options: PullLaneOptions) {
    this.#o = options
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal])
    const requests = new PeerRequests(options.peer)
    const { onHeard } = options
    this.#way = { requests, link: new Link({ requests, onDown: error => this.#stop.abort(error), onHeard }) }
  }

  async run(): Promise<number> {
    for (;;) {
      const before = this.#ended
      const seen = await this.#pass()
      this.#throwIfStopped()
      // Whatever came meanwhile is met by the next pass.
      if (seen === 0 || this.#ended === before) return seen
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('The lane ends'))
    while (this.#running.size > 0) await Promise.all(this.#running)
    this.#way.link[Symbol.dispose]()
    this.#way.requests[Symbol.dispose]()
    await this.#engine?.close()
  }

  /** All that is open now, once. Resolves to how many there were. */
  async #pass(): Promise<number> {
    const { catalogue, peer } = this.#o
    let seen = 0
    let bundle: IncomingTransfer[] = []
    let bytes = 0
    const sendBundle = async () => {
      const files = bundle
      ;[bundle, bytes] = [[], 0]
      if (files.length > 0) await this.#start(this.#bundles, () => this.#fetchSmall(files))
    }
    for (let after = 0; !this.#signal.aborted; ) {
      const page = await catalogue.receiving.pulled({ peer: peer.peer.name, after, limit: PAGE })
      if (page.length === 0) break
      after = page.at(-1)!.id
      seen += page.length
      const there = await storesThere(page, this.#o.stores)
      for (const transfer of page.filter(({ store_id }) => there.has(store_id))) {
        if (transfer.transfer_size > SMALL) {
          await this.#start(this.#large, () => this.#fetchLarge(transfer))
          continue
        }
        bundle.push(transfer)
        bytes += transfer.transfer_size
        if (bundle.length >= MOST_FILES || bytes >= MOST_BYTES) await sendBundle()
      }
    }
    await sendBundle()
    while (this.#running.size > 0) await Promise.all(this.#running)
    return seen
  }

  /** Resolves when it has its place: what waits for one holds up those who bring more. */
  #start(limit: Limit, act: () => Promise<void>): Promise<void> {
    return new Promise(resolve => {
      this.#follow(
        limit(async () => {
          resolve()
          if (!this.#signal.aborted) await act()
        }),
      )
    })
  }

  /** What fails ends the lane. */
  #follow(act: Promise<void>): void {
    const running = act.catch(error => this.#stop.abort(error)).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  #throwIfStopped(): void {
    if (!this.#signal.aborted) return
    throw this.#signal.reason
  }

  // ——— Small files ———

  async #fetchSmall(files: readonly IncomingTransfer[]): Promise<void> {
    const wanted = files.map(({ store_path: name, transfer_size: size }) => ({ name, size }))
    const group = new TakenGroup(taken => this.#follow(this.#takeAll(taken)))
    const onFile = async (index: number, arrived: Arrived) => {
      const transfer = files[index]!
      const cost = costOf(transfer)
      // What is here may be what is waited for.
      if (!this.#uncommitted.hasRoom(cost)) group.end()
      await this.#uncommitted.enter(cost)
      group.add({ transfer, arrived }, cost)
    }
    const onMissing = (index: number, error: unknown) => this.#judge(files[index]!, error)
    const onEnd = () => group.end()
    await fetchSmall(wanted, {
      ...this.#way,
      signal: this.#signal,
      slabs: this.#slabs,
      onFile,
      onMissing,
      onEnd,
    }).finally(onEnd)
  }

  /** Committed together, while the next ones come. */
  async #takeAll(taken: readonly Taken[]): Promise<void> {
    await Promise.all(
      taken.map(({ transfer, arrived }) =>
        this.#take(transfer, arrived).finally(() => {
          this.#uncommitted.leave(costOf(transfer))
          if (arrived instanceof Uint8Array) this.#slabs.release(arrived)
        }),
      ),
    )
  }

  async #take(transfer: IncomingTransfer, arrived: Arrived): Promise<void> {
    if (arrived === 'tree') return await this.#large(() => this.#fetchLarge(transfer, true))
    if (arrived === 'size') {
      return await this.#fail(transfer, `it must have ${transfer.transfer_size} bytes, its sender has another number`)
    }
    await this.#commit(transfer, { from: 'memory', bytes: arrived, stagingId: transfer.staging_path ?? undefined })
  }

  // ——— Large files and trees ———

  async #fetchLarge(transfer: IncomingTransfer, isTree = false): Promise<void> {
    if (!this.#engine) {
      this.#engine = this.#o.openEngine(this.#o.peer)
      this.#way.link.watchEngine(this.#engine)
    }
    const ended = new AbortController()
    using _ = this.#watch(transfer, ended)
    try {
      const place = storeOf(transfer, this.#o)
      const origin = await fetchLarge(transfer, place, {
        peer: this.#o.peer,
        ...this.#way,
        engine: this.#engine,
        signal: AbortSignal.any([this.#signal, ended.signal]),
        isTree,
      })
      await this.#commit(transfer, origin)
    } catch (error) {
      if (isMismatch(error)) {
        await askToLook(transfer, this.#o)
        this.#o.onEnd()
      }
      await this.#judge(transfer, error)
    }
  }

  /** Its sender, or an operator, may end it long before all of it is here. */
  #watch({ id }: IncomingTransfer, ended: AbortController): Disposable {
    const { catalogue, watchMs = 30_000 } = this.#o
    const look = async () => {
      const status = (await catalogue.uploads.get({ id }))?.status
      if (status !== 'ONGOING') ended.abort(new LibrarianError('Conflict', `the transfer is ${status}`))
    }
    // What cannot be looked at now, is the next time.
    const timer = setInterval(() => void look().catch(() => {}), watchMs).unref()
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }

  // ——— Ends ———

  async #commit(transfer: IncomingTransfer, origin: CommitOrigin): Promise<void> {
    const { deletionPolicy, onEnd, log } = this.#o
    try {
      await commitClone(transfer, { origin, deletionPolicy, manager: pullManager }, this.#o)
      this.#o.tries.forget(transfer.id)
      this.#ended++
      onEnd()
    } catch (error) {
      if (isOther(error) && origin.from === 'memory') {
        const again = 'the bytes that came are not those that were announced'
        return await this.#judge(transfer, new LibrarianError('Mismatch', again, { cause: error }))
      }
      const { id, store_path: file } = transfer
      log.info({ err: error, transfer: id, file }, 'A clone that was fetched was not committed')
      const staysOpen = error instanceof LibrarianError && laterCodes.has(error.code)
      // Its row has its end, and its sender a message, by the transaction of the commit.
      if (!staysOpen) this.#ended++
      this.#o.tries.forget(id)
      onEnd()
    }
  }

  /** @throws PeerDown */
  async #judge(transfer: IncomingTransfer, error: unknown): Promise<void> {
    if (this.#signal.aborted) return
    if (error instanceof PeerDown) throw error
    if (error instanceof LibrarianError && downCodes.has(error.code)) throw new PeerDown(error)
    const reason = error instanceof Error ? error.message : String(error)
    if (isFinal(error)) return await this.#fail(transfer, reason)
    // Of a store of ours that is gone the transfer is not to blame.
    if (error instanceof LibrarianError && laterCodes.has(error.code)) return
    await checkIsUp(this.#o.peer, this.#signal)
    if (this.#o.tries.count(transfer.id, error)) await this.#fail(transfer, reason)
  }

  async #fail(transfer: IncomingTransfer, why: string): Promise<void> {
    const { catalogue, log, onEnd, tries } = this.#o
    const { id, store_path: file } = transfer
    const reason = `Cannot fetch ${file}: ${why}`.slice(0, 1000)
    const ended = await catalogue.receiving.fail({ failures: [{ id, reason }] })
    await Promise.all(ended.map(one => removeBytes(one, this.#o)))
    log.warn({ transfer: id, file, reason }, 'A clone could not be fetched')
    tries.forget(id)
    this.#ended++
    onEnd()
  }
}

/** The bytes that came are not those that were announced. */
function isOther(error: unknown): boolean {
  return error instanceof LibrarianError && error.code === 'Mismatch'
}

const laterCodes: ReadonlySet<string> = new Set(['StoreUnavailable', 'Busy', 'NameTaken', 'Locked'])

/** What says nothing about a file. */
const downCodes: ReadonlySet<string> = new Set([
  'PeerUnreachable',
  'TooMany',
  'Denied',
  'NotAuthenticated',
  'NoEndpoint',
  'WrongMethod',
])

function isMismatch(error: unknown): boolean {
  if (error instanceof LibrarianError) return error.code === 'Mismatch'
  return error instanceof TransferError && error.code === 'ChecksumMismatch'
}

function isFinal(error: unknown): boolean {
  if (error instanceof LibrarianError) return !error.isRetriable && error.code !== 'BadAnswer'
  return error instanceof TransferError && !error.retriable
}
