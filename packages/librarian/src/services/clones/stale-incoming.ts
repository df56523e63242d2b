/** Transfers that have been open for long: their senders are asked what became of them (librarian 11.6). */
import { LibrarianError, type TransferStatus, transferStatusOf } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { pullManager } from '../../catalogue/operations/receiving.ts'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { Log } from '../../log.ts'
import type { Stores } from '../../stores/stores.ts'
import type { PeerConnections } from '../peer-connections.ts'
import { removeBytes } from '../uploads/remove-bytes.ts'

export interface StaleIncomingOptions {
  readonly catalogue: Pick<Catalogue, 'receiving'>
  readonly stores: Stores
  readonly connections: PeerConnections
  readonly log: Log
  /** A message may have been written. */
  readonly onEnd: () => void
}

export interface StaleRequest {
  readonly olderThanSeconds: number
  readonly signal: AbortSignal
  isOverdue(): boolean
}

export interface StaleReport {
  /** Ended, with their senders told. */
  readonly failed: number
  /** Taken over from what the sender says. */
  readonly adopted: number
  /** As they were: both sides agree, or the sender could not be asked. */
  readonly left: number
}

const PAGE = 500

export async function resolveStale(
  { olderThanSeconds, signal, isOverdue }: StaleRequest,
  options: StaleIncomingOptions,
): Promise<StaleReport & { readonly isAll: boolean }> {
  const counts = { failed: 0, adopted: 0, left: 0 }
  for (let after = 0; !signal.aborted && !isOverdue(); ) {
    const page = await options.catalogue.receiving.stale({ olderThanSeconds, after, limit: PAGE })
    if (page.length === 0) return { ...counts, isAll: true }
    after = page.at(-1)!.id
    for (const [source, transfers] of Map.groupBy(page, transfer => transfer.source)) {
      const statuses = await askSource(source, transfers, options, signal)
      for (const verdict of await settle(transfers, statuses, options)) counts[verdict] += 1
    }
    options.onEnd()
  }
  return { ...counts, isAll: false }
}

/** What the sender says of each, by our number; undefined: it could not be asked now. */
type Statuses = ReadonlyMap<number, TransferStatus | 'unknown'> | undefined

async function askSource(
  source: string,
  transfers: readonly IncomingTransfer[],
  { connections, log }: StaleIncomingOptions,
  signal: AbortSignal,
): Promise<Statuses> {
  const numbered = transfers.filter(({ source_transfer_id }) => (source_transfer_id ?? -1) >= 0)
  const unknown = new Map(transfers.map(({ id }) => [id, 'unknown' as const]))
  if (numbered.length === 0) return unknown
  try {
    const { connection } = await connections.to(source)
    const ids = numbered.map(({ source_transfer_id }) => source_transfer_id!)
    const timed = AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)])
    const answer = await connection.checkin.status(
      { source_transfer_ids: ids, destination_transfer_ids: [] },
      { signal: timed },
    )
    const told = numbered.map(({ id, source_transfer_id }) => {
      const number = answer.source_transfer_status[String(source_transfer_id)] ?? undefined
      return [id, (number === undefined ? undefined : transferStatusOf(number)) ?? 'unknown'] as const
    })
    return new Map<number, TransferStatus | 'unknown'>([...unknown, ...told])
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof LibrarianError && error.code === 'UnknownLibrarian') return unknown
    log.info({ err: error, source }, 'A sender could not be asked about old transfers; they stay as they are')
    return undefined
  }
}

const CALL_MS = 120_000

async function settle(
  transfers: readonly IncomingTransfer[],
  statuses: Statuses,
  options: StaleIncomingOptions,
): Promise<(keyof StaleReport)[]> {
  const { catalogue, log } = options
  if (!statuses) return transfers.map(() => 'left')
  const verdicts = transfers.map(transfer => ({ transfer, verdict: judgeStale(transfer, statuses.get(transfer.id)!) }))
  const failures = verdicts.flatMap(({ transfer: { id }, verdict }) => {
    return verdict.act === 'fail' ? [{ id, reason: verdict.reason }] : []
  })
  const ended = failures.length === 0 ? [] : await catalogue.receiving.fail({ failures })
  await Promise.all(ended.map(transfer => removeBytes(transfer, options)))
  for (const { id, source, reason } of ended) log.info({ transfer: id, source, reason }, 'An old transfer was ended')
  const isEnded = new Set(ended.map(({ id }) => id))
  const ends: (keyof StaleReport)[] = []
  for (const { transfer, verdict } of verdicts) {
    if (verdict.act !== 'adopt') ends.push(isEnded.has(transfer.id) ? 'failed' : 'left')
    else {
      const from = transfer.status as 'INITIATED' | 'ONGOING'
      ends.push((await catalogue.receiving.adopt({ id: transfer.id, from, to: verdict.to })) ? 'adopted' : 'left')
    }
  }
  return ends
}

type Verdict =
  | { readonly act: 'leave' }
  | { readonly act: 'adopt'; readonly to: 'ONGOING' | 'STAGED' }
  | { readonly act: 'fail'; readonly reason: string }

const leave: Verdict = { act: 'leave' }

/** @param remote `unknown`: there is nobody to ask, or the one who is asked knows nothing of it */
export function judgeStale(
  { status, source, source_transfer_id, transfer_manager_name }: IncomingTransfer,
  remote: TransferStatus | 'unknown',
): Verdict {
  const fail = (reason: string): Verdict => ({ act: 'fail', reason })
  if (source_transfer_id === null) return fail('nobody went on with this upload')
  if (remote === 'unknown') return fail(`nothing is known of it at its sender, ${source}`)
  if (remote === 'COMPLETED' || remote === 'FAILED' || remote === 'CANCELLED') {
    return fail(`its sender, ${source}, has it as ${remote}`)
  }
  // What this librarian fetches itself is under way here, whatever stands there.
  if (remote === status || status === 'STAGED' || transfer_manager_name === pullManager) return leave
  if (status === 'INITIATED') return { act: 'adopt', to: remote as 'ONGOING' | 'STAGED' }
  return remote === 'STAGED' ? { act: 'adopt', to: 'STAGED' } : fail(`its sender, ${source}, has not begun to send it`)
}
