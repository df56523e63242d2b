/** Whether a request came to nothing because of the way there: one that is refused has got there. */
import { LinkReturned } from './link.ts'

const codes: ReadonlySet<unknown> = new Set([
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ETIMEDOUT',
  // Names are asked for over the same link.
  'EAI_AGAIN',
])

export function isOutOfReach(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof LinkReturned || ('code' in error && codes.has(error.code))) return true
  // Of several addresses that were tried.
  const all = error instanceof AggregateError && error.errors.length > 0 && error.errors.every(isOutOfReach)
  return all || isOutOfReach(error.cause)
}
