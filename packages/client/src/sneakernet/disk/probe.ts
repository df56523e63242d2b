/** What a disk can keep, found by trying (reliability 7, rule 11): file systems do not tell it, and stick makers lie. */
import { open, rm, stat, statfs, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { MemberNames, printable } from '@arriero/transfer'
import { diskTrouble } from './trouble.ts'

export interface DiskPowers {
  /** `A` and `a` are one file. */
  readonly isCaseBlind: boolean
  /** Characters that no name may hold. */
  readonly refused: string
  /** Longest part of a name that was taken, bytes. */
  readonly longestPart: number
  /** Whether a file of 4 GiB can be. */
  readonly hasLargeFiles: boolean
  /** Bytes of the smallest piece that is given to a file. */
  readonly blockSize: number
}

/** Not larger than what FAT keeps: 4 GiB − 1. */
export const FAT_LIMIT = 2 ** 32 - 1

/** Not allowed by FAT, exFAT or NTFS; the rest that they refuse is refused by librarians already. */
const suspicious = [...'<>:"|?*']

export type Probe = (directory: string) => Promise<DiskPowers>

/** Leaves nothing behind. `directory` is one of our own on the disk. */
export const probeDisk: Probe = async directory => {
  try {
    const { bsize } = await statfs(directory)
    const isCaseBlind = await tries(directory, 'probe-Aa', async () => {
      await stat(join(directory, 'probe-aA'))
    })
    let refused = ''
    for (const character of suspicious) {
      if (!(await tries(directory, `probe-${character}-x`, async () => {}))) refused += character
    }
    const longestPart = (await tries(directory, 'p'.repeat(255), async () => {})) ? 255 : 143
    // It has no bytes: where holes are kept it takes no room, and where they are not it is refused at once.
    const hasLargeFiles = await tries(directory, 'probe-large', async path => {
      await truncate(path, 2 ** 32)
    })
    return { isCaseBlind, refused, longestPart, hasLargeFiles, blockSize: bsize }
  } catch (error) {
    throw diskTrouble(error, 'try', directory)
  }
}

const gone = ['EIO', 'EROFS', 'ENODEV', 'ENOSPC']

/**
 * Whether it can be made and used so; any refusal is a no, but for a disk that is gone or may not be written. That it may not,
 * the plain name that is tried first tells; of an odd one, some drivers of FAT say EPERM where others say EINVAL.
 */
async function tries(directory: string, name: string, use: (path: string) => Promise<void>): Promise<boolean> {
  const path = join(directory, name)
  try {
    await (await open(path, 'wx')).close()
    await use(path)
    return true
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const isPlain = name === 'probe-Aa' && ['EACCES', 'EPERM'].includes(code)
    if ((isPlain || gone.includes(code)) && name !== 'probe-large') throw error
    return false
  } finally {
    await rm(path, { force: true }).catch(() => {})
  }
}

/** Judges names and sizes before the first byte is copied. */
export class DiskNames {
  readonly #powers: DiskPowers
  readonly #taken = new MemberNames()

  constructor(powers: DiskPowers) {
    this.#powers = powers
  }

  /** What forbids it, as the end of a sentence; undefined: the disk can keep it. */
  problem({ name, size, kind }: { readonly name: string; readonly size: number; readonly kind: 'file' | 'tree' }) {
    const { isCaseBlind, refused, longestPart, hasLargeFiles } = this.#powers
    const bad = [...refused].find(each => name.includes(each))
    if (bad !== undefined) return `this disk keeps no ${bad} in names`
    const long = name.split('/').find(part => Buffer.byteLength(part) > longestPart)
    if (long !== undefined) return `this disk keeps no part of a name longer than ${longestPart} bytes`
    if (!hasLargeFiles && kind === 'file' && size > FAT_LIMIT) return 'this disk keeps no file of 4 GiB or more'
    return isCaseBlind ? this.#taken.claim(name, kind === 'tree' ? 'directory' : 'file') : undefined
  }
}

/** Of names that cannot be kept: the first ones, and how many there are. */
export function tellProblems(problems: readonly string[], count: number): string {
  const rest = count > problems.length ? `\n  … and ${count - problems.length} more` : ''
  return problems.map(each => `\n  ${printable(each)}`).join('') + rest
}
