import { statfs } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api/errors'

export interface SpaceOptions {
  /** Portion of a device that counts as usable (librarian 7.2). */
  readonly fullFraction: number
  /** Kept free of everything on the store's device. Bytes; `standard`: max(5 %, 10 GiB) (reliability 7.15). */
  readonly reserve: number | 'standard'
}

export interface Space {
  readonly free: number
  readonly total: number
  /** Why `free` is 0 although bytes may be left. */
  readonly lacks?: 'inodes' | undefined
}

/** Inodes that uploads leave: a trail's next segment needs one, and what is deleted to make room is told to it first. */
const INODES_KEPT = 32

/** Room on the fuller of the two devices, as librarians tell it. */
export async function measureSpace(
  root: string,
  staging: string,
  { fullFraction, reserve }: SpaceOptions,
): Promise<Space> {
  const [store, staged] = await Promise.all([statfs(root), statfs(staging)])
  if ([store, staged].some(lacksInodes)) return { free: 0, total: totalOf(store), lacks: 'inodes' }
  const usable = [store, staged].map(device => freeOf(device) - totalOf(device) * (1 - fullFraction))
  usable.push(freeOf(store) - reserveOf(totalOf(store), reserve))
  return { free: Math.max(0, Math.trunc(Math.min(...usable))), total: totalOf(store) }
}

/**
 * A disk without inodes answers ENOSPC like one without bytes. What failed has given back by now what it had taken: a great
 * tree's inodes cannot be told from others.
 *
 * @returns the same error, or one that says what is missing
 */
export async function tellInodes(error: LibrarianError, paths: readonly string[]): Promise<LibrarianError> {
  if (error.code !== 'NoSpace') return error
  const devices = await Promise.all(paths.map(path => statfs(path).catch(() => undefined)))
  if (!devices.some(device => device && lacksInodes(device))) return error
  const { code, message, fields, retryAfterSeconds, cause } = error
  return new LibrarianError(code, `${message}: its disk has no inodes left, however many bytes it has`, {
    remedy: inodesRemedy,
    fields,
    retryAfterSeconds,
    cause,
  })
}

const inodesRemedy =
  'Inodes are missing, not bytes (`df -i` shows them): remove files that are not needed from its disk; then try again.'

/** File systems that make inodes as they need them tell of none at all. */
function lacksInodes({ files, ffree }: { files: number; ffree: number }): boolean {
  return files > 0 && ffree < INODES_KEPT
}

/** What unprivileged users may take. */
function freeOf({ bavail, bsize }: { bavail: number; bsize: number }): number {
  return bavail * bsize
}

function totalOf({ blocks, bsize }: { blocks: number; bsize: number }): number {
  return blocks * bsize
}

export function reserveOf(total: number, reserve: number | 'standard'): number {
  return reserve === 'standard' ? Math.max(0.05 * total, 10 * 2 ** 30) : reserve
}
