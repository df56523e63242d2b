import { join } from 'node:path'
import { TransferError } from '../errors.ts'
import type { Placement } from '../names/plan.ts'
import type { Entry } from './entry.ts'
import { type Outcome, outcomeOf, outcomeOfError } from './outcome.ts'

export interface PlacedRow {
  /** Index in the manifest. */
  readonly row: number
  /** Of the run. */
  readonly directory: string
}

/** What is told of an entry that its plan gives no place; undefined: it is to be fetched. */
export function unplacedOutcome(
  entry: Entry,
  placement: Placement,
  { row, directory }: PlacedRow,
): Outcome | undefined {
  switch (placement.status) {
    case 'duplicate':
      return outcomeOf(entry, 'duplicate', { index: row, duplicate_of: placement.duplicateOf })
    case 'skipped': {
      const path = join(directory, placement.path)
      return outcomeOf(entry, 'duplicate', { index: row, path, error: 'an earlier row has this name' })
    }
    case 'refused':
      return outcomeOfError(entry, placement.error, { index: row, error_class: placement.reason })
    case 'placed': {
      const refusal = refusalOfOurs(placement.path)
      return refusal && outcomeOfError(entry, refusal, { index: row })
    }
    case 'unnamed':
      return undefined
  }
}

/** What a run keeps within its directory: no row may name it. */
export function refusalOfOurs(path: string): TransferError | undefined {
  if (!/^\.(?:transfer|arriero)(?:\/|$)/i.test(path)) return undefined
  const message = `Cannot write ${path}: what a run keeps for itself is there`
  return new TransferError('PathUnsafe', message, { file: path, reason: 'unsafe_name' })
}
