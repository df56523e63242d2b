/** What a disk that is carried may do to us, in words that help. */
import { printable, TransferError } from '@arriero/transfer'

const gone: ReadonlySet<string> = new Set([
  'EIO',
  'ENODEV',
  'ENXIO',
  'EROFS',
  'ENOENT',
  'ENOTCONN',
  'ESTALE',
  'ENOTDIR',
])

/** Marks an error as one of the carried disk, not of what is read elsewhere. */
const REASON = 'carried-disk'

/** Whether nothing more can be done with the disk. */
export function isDiskGone(error: unknown): boolean {
  if (!(error instanceof TransferError)) return false
  return error.code === 'Disk' && error.details.reason === REASON
}

export function isFull(error: unknown): boolean {
  if (error instanceof TransferError) return error.code === 'NoSpace'
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Of a call on the disk itself. */
export function diskTrouble(cause: unknown, action: string, path: string): TransferError {
  if (cause instanceof TransferError) return cause
  const { code = '', message } = cause as NodeJS.ErrnoException
  const what = `Cannot ${action} ${printable(path)}`
  if (isFull(cause))
    return new TransferError('NoSpace', `${what}: the disk is full`, { file: path, reason: REASON, cause })
  if (code === 'EFBIG') {
    return new TransferError('Unsupported', `${what}: this file system keeps no file so large`, {
      file: path,
      reason: REASON,
      cause,
    })
  }
  const remedy = gone.has(code)
    ? 'Check the path, the disk, its cable and its mount; then say the same again: it goes on where it was.'
    : 'Check the path and its permissions; then say the same again: it goes on where it was.'
  const why = inWords[code] ?? (code || message)
  return new TransferError('Disk', `${what}: ${why}`, { file: path, reason: REASON, remedy, cause })
}

/** What an operator meets most; the others by the names that their manuals have. */
const inWords: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there (ENOENT)',
  EACCES: 'this user may not (EACCES)',
  EIO: 'the disk does not answer as it should (EIO)',
  EROFS: 'it is mounted read-only (EROFS)',
  ENOTDIR: 'it is no directory (ENOTDIR)',
}
