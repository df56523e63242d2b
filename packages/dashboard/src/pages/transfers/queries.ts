/** What the page of transfers asks, read from its address. */
import { transferStatuses } from '@arriero/api'
import { stateOf } from '../../components/state.tsx'
import { formatCount } from '../../text/bytes.ts'

export type Direction = 'in' | 'out'
export type TransferState = keyof typeof transferStatuses

export const transferStates = Object.keys(transferStatuses) as readonly TransferState[]

/** What goes out, unless it is said otherwise. */
export function directionOf(text: string): Direction {
  return text === 'in' ? 'in' : 'out'
}

/** Undefined: all, also for a state that there is not. */
export function stateIn(text: string): TransferState | undefined {
  return transferStates.find(state => state === text)
}

/** `moving 12`; all of them for undefined. */
export function countText(
  counts: Readonly<Partial<Record<TransferState, number>>> | undefined,
  state: TransferState | undefined,
): string {
  const word = state === undefined ? 'all' : stateOf(state).label
  if (!counts) return word
  const shown = state === undefined ? transferStates : [state]
  return `${word} ${formatCount(shown.reduce((sum, each) => sum + (counts[each] ?? 0), 0))}`
}

/** `out/12`, as in the address of a transfer’s page; undefined: it is none. */
export function parseTransferPath(rest: string): { readonly direction: Direction; readonly id: number } | undefined {
  const [, direction, id] = /^(in|out)\/(\d{1,15})$/.exec(rest) ?? []
  return direction === undefined ? undefined : { direction: directionOf(direction), id: Number(id) }
}
