/**
 * A disk that has come, into the librarian that it was packed for (reliability G4).
 *
 *     open     the lists are those that were signed
 *     arrive   the librarian knows who has signed, that it is for it, and no other manifest of this disk
 *     settle   what of it the librarian has already, page by page
 *     check    every byte of the others, on the disk
 *     hand     to the librarian, which verifies again what has arrived, and keeps it
 *     wait     until it has, or has refused
 *
 * The catalogue knows how far it is: after any end, and for a disk that is read twice, the same again goes on from there. A file
 * that is bad on the disk fails alone. What is on the disk and in no list changes nothing.
 */
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LibrarianError } from '@arriero/api'
import { Progress, TransferError } from '@arriero/transfer'
import { workTogether } from '../../crew.ts'
import type { Librarian } from '../../librarian.ts'
import { assertUnchanged } from '../../upload/local-item.ts'
import type { ResumeRecords } from '../../upload/resume-records.ts'
import type { CarriedItem } from '../bag/item.ts'
import { DATA } from '../bag/layout.ts'
import { bagItems, openBag, type SignedBag } from '../bag/open-bag.ts'
import { diskTrouble } from '../disk/trouble.ts'
import { handOver } from '../hand-over.ts'
import { inPages } from '../in-pages.ts'
import { checkItem } from './check-item.ts'
import { findExtras } from './find-extras.ts'

/** Options of `ingestDisk()`. */
export interface IngestDiskOptions {
  /** Of earlier runs: what they have announced is continued. */
  readonly records?: ResumeRecords | undefined
  readonly progress?: Progress | undefined
  readonly signal?: AbortSignal | undefined
  /** How long to wait for the librarian to keep what was handed over while nothing happens, ms. Default 600,000. */
  readonly patienceMs?: number | undefined
  readonly onOutcome: (outcome: DiskOutcome) => void
  /** A file that no list names. */
  readonly onExtra: (path: string) => void
  /** So many files wait for the librarian. */
  readonly onWait?: ((files: number) => void) | undefined
}

/** What became of one file of a disk. */
export type DiskOutcome =
  | { readonly ok: true; readonly item: CarriedItem; readonly state: 'done' | 'exists' }
  | { readonly ok: false; readonly item: CarriedItem; readonly error: unknown }

/** What became of a disk. */
export interface IngestedDisk {
  readonly disk: string
  readonly source: string
}

const PAGE = 250
const AT_ONCE = 4

/** Reads a carried disk and brings its files into the librarian. May be repeated. */
export async function ingestDisk(
  librarian: Librarian,
  directory: string,
  options: IngestDiskOptions,
): Promise<IngestedDisk> {
  const { signal = new AbortController().signal } = options
  // Whoever may not ask hears of it before a large list is read.
  await librarian.api.sneakernet.key({}, { signal })
  const bag = await openBag(directory)
  const { statement, signature, said } = bag
  await librarian.api.sneakernet.arrive({ statement, signature }, { signal })
  const data = await realpath(join(directory, DATA)).catch(error => {
    throw diskTrouble(error, 'read', join(directory, DATA))
  })
  const ingest = new Ingest(librarian, bag, data, { ...options, signal })
  for await (const page of inPages(bagItems(bag, signal), PAGE)) await ingest.take(page)
  await ingest.wait()
  for await (const path of findExtras(bag, signal)) options.onExtra(path)
  return { disk: said.disk, source: said.source }
}

class Ingest {
  readonly #librarian: Librarian
  readonly #bag: SignedBag
  readonly #data: string
  readonly #options: IngestDiskOptions & { readonly signal: AbortSignal }
  readonly #progress: Progress
  /** Handed over and not kept yet. */
  #waiting: CarriedItem[] = []

  constructor(
    librarian: Librarian,
    bag: SignedBag,
    data: string,
    options: IngestDiskOptions & { readonly signal: AbortSignal },
  ) {
    this.#librarian = librarian
    this.#bag = bag
    this.#data = data
    this.#options = options
    this.#progress = options.progress ?? new Progress()
    this.#progress.listed = bag.said.files
    this.#progress.isListed = true
  }

  async take(page: readonly CarriedItem[]): Promise<void> {
    const fresh = await this.#settle(page)
    const failures = new Map<CarriedItem, unknown>()
    await workTogether(fresh, Array(AT_ONCE).keys(), item => this.#bring(item, failures))
    if (failures.size > 0) await this.#fail(failures)
  }

  /** Tells what has ended, keeps what waits; resolves to what is to be brought. */
  async #settle(items: readonly CarriedItem[], isRead = false): Promise<CarriedItem[]> {
    const states = await this.#ask(items, new Map(), isRead)
    const fresh: CarriedItem[] = []
    for (const item of items) {
      const { state = 'new', reason } = states.get(item.name) ?? {}
      if (state === 'new') fresh.push(item)
      else if (state === 'handed-over') this.#waiting.push(item)
      else this.#tell(item, state, reason ?? '')
    }
    return fresh
  }

  async #ask(items: readonly CarriedItem[], failures: ReadonlyMap<CarriedItem, string>, is_read = false) {
    const files = items.map(item => ({
      name: item.name,
      transfer_id: item.transfer_id,
      size: item.size,
      checksum: item.checksum,
      sha256: item.sha256,
      ...(failures.has(item) ? { failure: failures.get(item) } : {}),
    }))
    const request = { disk_id: this.#bag.said.disk, files, is_read }
    const answer = await this.#librarian.api.sneakernet.settle(request, { signal: this.#options.signal })
    return new Map(answer.files.map(file => [file.name, file]))
  }

  async #bring(item: CarriedItem, failures: Map<CarriedItem, unknown>): Promise<void> {
    const { signal, records } = this.#options
    const file = this.#progress.start(item.name, item.size)
    try {
      const found = await checkItem(item, this.#data, signal)
      const assertSame = () => assertUnchanged(join(this.#data, item.name), found, { signal })
      const carried = {
        ...item,
        source: this.#bag.said.source,
        transferId: item.transfer_id,
        createTime: item.create_time,
      }
      const progress = this.#progress
      const sending = { file, progress, signal, records, assertSame, keepsAtOnce: true }
      await handOver(this.#librarian, carried, found, sending)
      this.#progress.finish(file, 'done')
      // Also what was there: the librarian says whether it is the same.
      this.#waiting.push(item)
    } catch (error) {
      this.#progress.finish(file, 'failed')
      signal.throwIfAborted()
      if (isAway(error)) throw error
      failures.set(item, error)
    }
  }

  async #fail(failures: ReadonlyMap<CarriedItem, unknown>): Promise<void> {
    const told = new Map(Array.from(failures, ([item, error]) => [item, messageOf(error)]))
    const states = await this.#ask([...failures.keys()], told)
    for (const [item, error] of failures) {
      // Somebody else may have brought it meanwhile.
      const state = states.get(item.name)?.state
      if (state === 'done' || state === 'exists') this.#options.onOutcome({ ok: true, item, state })
      else this.#options.onOutcome({ ok: false, item, error })
    }
  }

  /** Until the librarian has said of each what became of it. */
  async wait(): Promise<void> {
    const { signal, patienceMs = 600_000, onWait } = this.#options
    let since = performance.now()
    for (let ms = 50; this.#waiting.length > 0; ms = Math.min(ms * 2, 2000)) {
      const asked = this.#waiting
      this.#waiting = []
      const refused: CarriedItem[] = []
      for (let at = 0; at < asked.length; at += PAGE) refused.push(...(await this.#settle(asked.slice(at, at + PAGE))))
      for (const item of refused) this.#options.onOutcome({ ok: false, item, error: notKept() })
      if (this.#waiting.length === 0) break
      if (this.#waiting.length < asked.length) since = performance.now()
      if (performance.now() - since > patienceMs) {
        for (const item of this.#waiting) this.#options.onOutcome({ ok: false, item, error: stillWaiting() })
        return
      }
      onWait?.(this.#waiting.length)
      await sleep(ms, undefined, { signal })
    }
    await this.#settle([], true)
  }

  #tell(item: CarriedItem, state: 'done' | 'exists' | 'failed', reason: string): void {
    if (state !== 'failed') this.#options.onOutcome({ ok: true, item, state })
    else this.#options.onOutcome({ ok: false, item, error: new LibrarianError('Conflict', reason) })
  }
}

/** Every other file would meet the same. */
function isAway(error: unknown): boolean {
  if (error instanceof LibrarianError) return ['PeerUnreachable', 'Denied', 'NotAuthenticated'].includes(error.code)
  return error instanceof TransferError && ['Network', 'Denied', 'Unsupported'].includes(error.code)
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 4000)
}

function notKept(): LibrarianError {
  return new LibrarianError('Mismatch', 'the librarian has not kept it: what arrived there was refused', {
    remedy: 'Say the same again; `arriero transfers` tells why it was refused.',
  })
}

function stillWaiting(): LibrarianError {
  return new LibrarianError('Busy', 'it is handed over, and the librarian has not kept it yet', {
    remedy: 'Its task `recieve_clone` keeps what was handed over; say the same again later to hear of it.',
  })
}
