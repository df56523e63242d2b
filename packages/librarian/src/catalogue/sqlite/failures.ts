import { LibrarianError } from '@arriero/api/errors'

/** What an operation threw, as the one error that callers know. */
export function toLibrarianError(error: unknown): LibrarianError {
  if (error instanceof LibrarianError) return error
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED') return busy(error)
  if (code === 'SQLITE_FULL') {
    return new LibrarianError('NoSpace', 'The catalogue’s disk is full: nothing was changed', {
      remedy: 'Free some space on the catalogue’s disk; then try again.',
      cause: error,
    })
  }
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') {
    return new LibrarianError('Conflict', `The catalogue has this already: ${message}`, { cause: error })
  }
  if (code.startsWith('SQLITE_CONSTRAINT')) {
    return new LibrarianError('Internal', `The catalogue’s rules forbid this: ${message}`, { cause: error })
  }
  return new LibrarianError('Internal', `The catalogue failed: ${message}`, { cause: error })
}

function busy(cause: unknown): LibrarianError {
  return new LibrarianError('Busy', 'The catalogue is locked by another process: nothing was changed', {
    retryAfterSeconds: 1,
    cause,
  })
}

/**
 * Whether nothing that follows could be trusted: a failed fsync may be followed by one that claims success, and a damaged page
 * may be anywhere. Such a catalogue is opened again, which checks it, before it is used again.
 */
export function isCondemning(error: unknown): boolean {
  return /^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY_)/.test(codeOf(error))
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}
