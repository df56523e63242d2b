/** Whatever was thrown, as an error that may leave the house; how it is written is the wire's (`toFailureBody`). */
import { LibrarianError } from '@arriero/api'

/** What the framework itself refuses is put into our words; anything unforeseen tells nothing of itself. */
export function toLibrarianError(error: unknown): LibrarianError {
  if (error instanceof LibrarianError) return isInside(error) ? generic(error) : error
  const { statusCode: status, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown }
  const options = { cause: error }
  if (!String(code).startsWith('FST_') || typeof status !== 'number') return generic(error)
  if (status === 413) {
    return new LibrarianError('TooLarge', 'Cannot read the body: it is larger than this server takes', options)
  }
  if (status === 415) return new LibrarianError('Unsupported', 'Cannot read such a body', options)
  return status < 500 ? new LibrarianError('BadRequest', 'Cannot read the request', options) : generic(error)
}

/** Their messages name files and settings, for the operator. */
function isInside({ code }: LibrarianError): boolean {
  return code === 'Internal' || code === 'Configuration'
}

function generic(cause: unknown): LibrarianError {
  return new LibrarianError('Internal', 'Internal server error.', { cause })
}
