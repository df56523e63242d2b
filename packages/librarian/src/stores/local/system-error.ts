import { LibrarianError } from '@arriero/api/errors'
import { printable } from '@arriero/transfer/paths'

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}

/** Errors that say that the disk itself is not there or may not be written (reliability 5). */
const gone: ReadonlySet<string | undefined> = new Set(['EROFS', 'ESTALE', 'ENODEV', 'ENOTCONN', 'ENXIO', 'EHOSTDOWN'])

/** What to do about a file system that takes no writes. */
export const writable =
  'See in the system’s log why it became read-only, check the disk, and mount it to be written again; what is kept on it can be read meanwhile.'

const exhausted: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])

/** Whether it is for want of descriptors or memory, which passes. */
export function isExhaustion(error: unknown): boolean {
  return exhausted.has(codeOf(error))
}

/** Says in the librarian's words what the file system refused. */
export function systemError(error: unknown, action: string, what: string): LibrarianError {
  if (error instanceof LibrarianError) return error
  const code = codeOf(error)
  const message = `Cannot ${action} ${printable(what)}: ${describe(code) ?? (error as Error).message}`
  if (code === 'ENOSPC' || code === 'EDQUOT') return new LibrarianError('NoSpace', message, { cause: error })
  if (gone.has(code)) {
    const remedy = code === 'EROFS' ? writable : 'See to its disk, the cable and the mount.'
    return new LibrarianError('StoreUnavailable', message, { remedy, cause: error })
  }
  if (isExhaustion(error)) return new LibrarianError('Busy', message, { cause: error })
  return new LibrarianError('Internal', message, { cause: error })
}

function describe(code: string | undefined): string | undefined {
  if (code === 'ENOSPC' || code === 'EDQUOT') return `the disk is full (${code})`
  if (code === 'EROFS') return 'its file system is mounted read-only (EROFS)'
  if (code === 'EIO') return 'the disk failed (EIO)'
  return code
}
