import { LibrarianError } from '@arriero/api'

/** Whatever was thrown, as what can be shown. */
export function toError(error: unknown): LibrarianError {
  if (error instanceof LibrarianError) return error
  return new LibrarianError('Internal', error instanceof Error ? error.message : String(error), {
    remedy: 'Load the page again; if that does not help, tell the operator.',
  })
}
