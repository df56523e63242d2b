import { TransferError } from './errors.ts'

/** Says in the engine's words what the file system refused. */
export function diskError(error: unknown, action: string, file: string): TransferError {
  if (error instanceof TransferError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const details = { file, cause: error }
  switch (code) {
    case 'ENOENT': {
      const what = action === 'read' ? 'there is no such file' : 'its directory is not there'
      return new TransferError('Disk', `Cannot ${action} ${file}: ${what}`, details)
    }
    case 'ENOSPC':
    case 'EDQUOT':
      return new TransferError('NoSpace', `Cannot ${action} ${file}: the disk is full (${code})`, details)
    case 'EEXIST':
      return new TransferError('Exists', `Cannot ${action} ${file}: it exists already`, details)
    case 'EISDIR':
      return new TransferError('Disk', `Cannot ${action} ${file}: it is a directory`, details)
    case 'ENOTDIR':
      return new TransferError('Disk', `Cannot ${action} ${file}: a part of the path is not a directory`, details)
    case 'EACCES':
    case 'EPERM':
      return new TransferError('Disk', `Cannot ${action} ${file}: permission denied`, details)
    case 'EROFS':
      return new TransferError('Disk', `Cannot ${action} ${file}: the file system is read-only`, details)
    case 'ENAMETOOLONG':
      return new TransferError('Disk', `Cannot ${action} ${file}: the name is too long`, details)
    default:
      return new TransferError('Disk', `Cannot ${action} ${file}: ${code ?? message}`, details)
  }
}
