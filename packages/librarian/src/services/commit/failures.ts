/** What becomes of a commit that cannot go on, by what stopped it. */
import { LibrarianError } from '@arriero/api'
import type { CommitOrigin } from './commits.ts'

export interface Verdict {
  readonly error: LibrarianError
  /** The transfer stays open, since the same bytes may do later. */
  readonly keepsTransfer: boolean
  /** The disk could not be written or read: what it did with the bytes is unknown (reliability 5, EIO). */
  readonly isDiskTrouble: boolean
}

const laterCodes = new Set(['StoreUnavailable', 'Busy'])

/** @param from where the bytes came from: those in memory were fetched, and may come better the next time (reliability D3) */
export function judgeFailure(thrown: unknown, from?: CommitOrigin['from']): Verdict {
  const error = asLibrarianError(thrown)
  const comesAgain = from === 'memory' && error.code === 'Mismatch'
  return { error, keepsTransfer: comesAgain || laterCodes.has(error.code), isDiskTrouble: hasDiskTrouble(error) }
}

export function asLibrarianError(thrown: unknown): LibrarianError {
  if (thrown instanceof LibrarianError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new LibrarianError('Internal', `Cannot commit: ${message}`, { cause: thrown })
}

/** Errors of the medium itself, anywhere in the chain of causes; one that is read-only or gone is only unavailable. */
function hasDiskTrouble(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EIO' || code === 'EUCLEAN') return true
  }
  return false
}

/** What was sent may be all that is left of it: it is not thrown away for a row's sake. */
export function onlyDamaged(name: string): LibrarianError {
  return new LibrarianError(
    'StoreUnavailable',
    `Cannot commit ${name}: it is kept with these bytes already, but no copy of it here is known to be good`,
    {
      remedy: `Tell the operator, and keep your own copy: \`arriero validate ${name}\` says what is wrong with those here.`,
    },
  )
}

export function takenOver(name: string): LibrarianError {
  return new LibrarianError('Busy', `Cannot commit ${name}: another process has taken this commit over; ask again`)
}

/** From publishing on a commit only goes forward; where it cannot now, recovery goes on. */
export function finishesLater(name: string, cause: unknown): LibrarianError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new LibrarianError('Busy', `Cannot finish the commit of ${name} now, it will be finished later: ${why}`, {
    remedy: 'Ask again in a moment; do not upload it again.',
    retryAfterSeconds: 5,
    cause,
  })
}
