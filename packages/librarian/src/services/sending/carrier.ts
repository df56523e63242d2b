/**
 * How a batch gets to its receiver: by one of the methods, or pulled by the receiver itself. All that is known of it between two
 * looks is in the queue's item.
 */
import type { MethodName, MethodState, TransferDetails } from '@arriero/transfer'
import type { ItemTransfer, SendItem } from '../../catalogue/operations/send-queue.ts'

export interface CarriedBatch {
  readonly item: SendItem
  /** As offered, or as an earlier attempt has left it. */
  readonly state: MethodState
  /** Transfers that are open. */
  readonly open: readonly ItemTransfer[]
}

export interface FailedTransfer {
  readonly id: number
  readonly reason: string
}

export interface Begun {
  readonly state: MethodState
  /** Those that the receiver does not take. */
  readonly refused: readonly FailedTransfer[]
}

/** `unknown`: nobody could be asked; the others as of methods. */
export type Standing =
  | { readonly status: 'running' }
  | { readonly status: 'unknown'; readonly reason: string }
  | { readonly status: 'failed'; readonly reason: string }
  /** Every transfer has arrived, but those that failed at the receiver. */
  | { readonly status: 'complete'; readonly failed: readonly FailedTransfer[] }

export interface Carrier {
  readonly name: MethodName
  /** Whether the receiver has to be told when all bytes are there. */
  readonly isAnnounced: boolean
  /** Seconds between two looks at a batch of which not all has ended; 0: whenever
   * there is one. A receiver that tells of every end need not be asked. */
  readonly lookSeconds: number
  /** Why it cannot be used from here; undefined: it can. */
  whyNot(state: MethodState): string | undefined
  /** May be called again for the same batch, after a failure or a crash. */
  begin(batch: CarriedBatch, options: { signal: AbortSignal }): Promise<Begun>
  standing(batch: CarriedBatch, options: { signal: AbortSignal }): Promise<Standing>
  cancel(batch: CarriedBatch, options: { signal: AbortSignal }): Promise<void>
  /** Of a complete batch; undefined: it does not say. */
  details(batch: CarriedBatch, options: { signal: AbortSignal }): Promise<TransferDetails | undefined>
}
