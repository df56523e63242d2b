/** States of transfers (librarian 2, 11.12). */
import { namedNumbers } from './named-numbers.ts'

/** How far a transfer is, with its number on the wire. */
export const transferStatuses = {
  INITIATED: 0,
  ONGOING: 1,
  STAGED: 2,
  COMPLETED: 3,
  FAILED: 4,
  CANCELLED: 5,
} as const

/** One of `transferStatuses`. */
export type TransferStatus = keyof typeof transferStatuses

export const transferStatus = namedNumbers(transferStatuses)

/** The name of a status' number on the wire; undefined for any other number. */
export function transferStatusOf(number: number): TransferStatus | undefined {
  return transferStatus.nameOf(number)
}
