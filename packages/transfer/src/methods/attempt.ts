/** What the methods that do the work themselves keep of a batch: the fields of the wire (librarian 9), and two of ours. */

import type { Clock } from '../clock.ts'
import { TransferError } from '../errors.ts'
import type { MethodItem, MethodStanding, MethodState, TransferDetails } from '../method.ts'
import { hasAborted } from './batch.ts'

export interface AttemptOptions {
  readonly state: MethodState
  readonly items: readonly MethodItem[]
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

/**
 * Does the work, and says what became of it. What passes (a line that is down) is thrown, because the same batch may be
 * given again; what stays is kept as the reason of a failure.
 */
export async function attempt(options: AttemptOptions, work: () => Promise<void>): Promise<MethodState> {
  const { state, items, clock, signal } = options
  const startedAt = clock.wallNow()
  const started = clock.now()
  const failure = await work().then(
    () => undefined,
    error => {
      if (hasAborted(signal)) throw signal!.reason
      if (!(error instanceof TransferError) || error.retriable) throw error
      return error
    },
  )
  const { failure: _, ...kept } = state
  return {
    ...kept,
    transfer_attempted: true,
    transfer_complete: failure === undefined,
    start_time_transfer: instant(startedAt),
    bytes_transfer: items.reduce((sum, { size }) => sum + size, 0),
    // Ours: nobody else reads the state of a batch that has ended here.
    end_time_transfer: instant(startedAt + (clock.now() - started)),
    ...(failure === undefined ? {} : { failure: failure.message }),
  }
}

export function standingOf(state: MethodState): MethodStanding {
  if (state.transfer_complete === true) return { status: 'complete' }
  if (state.transfer_attempted !== true) return { status: 'running' }
  const { failure } = state
  return {
    status: 'failed',
    reason: typeof failure === 'string' ? failure : 'it was begun and did not come to its end',
  }
}

export interface DetailsOptions {
  /** Method, as the number of the record begins. */
  readonly kind: string
  readonly sourceEndpoint: string
  readonly destinationEndpoint: string
}

export function detailsOf(state: MethodState, { kind, ...endpoints }: DetailsOptions): TransferDetails | undefined {
  const { start_time_transfer: startTime, end_time_transfer: endTime, bytes_transfer: bytes } = state
  if (state.transfer_complete !== true || typeof bytes !== 'number') return undefined
  if (typeof startTime !== 'string' || typeof endTime !== 'string') return undefined
  const duration = (Date.parse(endTime) - Date.parse(startTime)) / 1000
  // A clock of milliseconds calls some batches instantaneous.
  const bandwidth = bytes / Math.max(duration, 0.001)
  return { taskId: `${kind}_${endTime}`, ...endpoints, startTime, endTime, duration, bytes, bandwidth }
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}
