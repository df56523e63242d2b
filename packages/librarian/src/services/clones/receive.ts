/** Ingests clones whose bytes others have put into the staging area (librarian 12.4). */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { DeletionPolicy } from '../../catalogue/schema.ts'
import type { Log } from '../../log.ts'
import { type CommitCloneOptions, commitClone } from './commit-clone.ts'
import { storesThere } from './stores-there.ts'

export interface ReceiverOptions extends CommitCloneOptions {
  readonly catalogue: Pick<Catalogue, 'receiving' | 'intents'>
  readonly log: Log
  /** A message may have been written. */
  readonly onEnd: () => void
}

export interface ReceiveRequest {
  readonly deletionPolicy: DeletionPolicy
  /** Clones that end in this run, at most. */
  readonly limit: number
  readonly signal: AbortSignal
  isOverdue(): boolean
  progress(report: ReceiveReport): void
}

export interface ReceiveReport {
  readonly received: number
  /** Ended, with their senders told. */
  readonly failed: number
  /** They stay for the next run: a store is not there, or somebody else has them. */
  readonly left: number
}

export interface Receiver {
  /** Resolves to `isAll` where nothing more was staged when it looked. */
  receive(request: ReceiveRequest): Promise<ReceiveReport & { readonly isAll: boolean }>
}

/** As many as share a commit. */
const PAGE = 512

export function createReceiver(options: ReceiverOptions): Receiver {
  const { catalogue, log, onEnd } = options

  async function receiveOne(transfer: IncomingTransfer, deletionPolicy: DeletionPolicy): Promise<keyof ReceiveReport> {
    const origin = { from: 'staging', id: transfer.staging_path ?? nowhere, uploadName: transfer.upload_name } as const
    try {
      await commitClone(transfer, { origin, deletionPolicy }, options)
      return 'received'
    } catch (error) {
      if (!(error instanceof LibrarianError)) throw error
      const { id, source, store_path: file } = transfer
      log.info({ transfer: id, source, file, code: error.code, reason: error.message }, 'A clone was not ingested')
      return staysOpen.has(error.code) ? 'left' : 'failed'
    }
  }

  return {
    async receive({ deletionPolicy, limit, signal, isOverdue, progress }) {
      const counts = { received: 0, failed: 0, left: 0 }
      let isAll = false
      let after = 0
      for (let left = limit; left > 0 && !signal.aborted && !isOverdue(); ) {
        const page = await catalogue.receiving.staged({ after, limit: Math.min(PAGE, left) })
        if (page.length === 0) {
          isAll = true
          break
        }
        after = page.at(-1)!.id
        const there = await storesThere(page, options.stores)
        const ends = await Promise.all(
          page.map(transfer => (there.has(transfer.store_id) ? receiveOne(transfer, deletionPolicy) : 'left')),
        )
        for (const end of ends) counts[end] += 1
        left -= ends.filter(end => end !== 'left').length
        progress(counts)
        onEnd()
      }
      return { ...counts, isAll }
    },
  }
}

const staysOpen: ReadonlySet<string> = new Set(['StoreUnavailable', 'Busy', 'NameTaken'])

/** Of what was to be fetched, and is said to be staged all the same: no directory was made. */
const nowhere = '00000000-0000-0000-0000-000000000000'
