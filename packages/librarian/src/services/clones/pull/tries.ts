import { LibrarianError } from '@arriero/api'

/** How often something was tried that may go better the next time. */
export interface Tries {
  /** True: that was enough. */
  count(id: number, error: unknown): boolean
  /** It has ended. */
  forget(id: number): void
}

/** Bytes that do not match are fetched again so often (reliability D3). */
const MISMATCHES = 3
const OTHERS = 5

export function createTries(): Tries {
  const counts = new Map<number, number>()
  return {
    count(id, error) {
      const most = error instanceof LibrarianError && error.code === 'Mismatch' ? MISMATCHES : OTHERS
      const count = (counts.get(id) ?? 0) + 1
      if (count < most) counts.set(id, count)
      else counts.delete(id)
      return count >= most
    },
    forget: id => void counts.delete(id),
  }
}
