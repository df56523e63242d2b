import { statfs } from 'node:fs/promises'
import { diskTrouble } from './trouble.ts'

/** For directories and lists, beside what is reckoned for each file; bytes. */
export const SLACK = 4 << 20

/** On the file system of a directory, for whoever asks; bytes. @throws TransferError Disk */
export async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch (error) {
    throw diskTrouble(error, 'look at', directory)
  }
}
