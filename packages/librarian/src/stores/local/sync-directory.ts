import { open } from 'node:fs/promises'
import { codeOf } from './system-error.ts'

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems refuse to sync a directory; there is nothing stronger to be had on them.
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'EBADF') throw error
  } finally {
    await handle.close()
  }
}
