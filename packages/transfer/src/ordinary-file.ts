import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { TransferError } from './errors.ts'

// Windows has none of these: there they are no question either.
const { O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants

/**
 * Opens a file of ours by its name. A FIFO that has this name keeps nobody waiting; it, and whatever else is no ordinary
 * file, a link included, is refused and not touched.
 *
 * @param flags of `node:fs`'s constants
 */
export async function openOrdinary(path: string, flags: number): Promise<FileHandle> {
  const handle = await open(path, flags | O_NONBLOCK | O_NOFOLLOW).catch(error => {
    throw ['ELOOP', 'EISDIR', 'ENXIO', 'ENODEV'].includes(error.code) ? notOrdinary(path, error) : error
  })
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw notOrdinary(path)
}

function notOrdinary(file: string, cause?: unknown): TransferError {
  return new TransferError('Disk', `Cannot use ${file}: it must be an ordinary file`, {
    file,
    cause,
    remedy: 'Move away what has this name, and run the same command again.',
  })
}
