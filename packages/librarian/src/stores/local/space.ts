import { statfs } from 'node:fs/promises'

export interface SpaceOptions {
  /** Portion of a device that counts as usable (librarian 7.2). */
  readonly fullFraction: number
  /** Kept free of everything on the store's device. Bytes; `standard`: max(5 %, 10 GiB) (reliability 7.15). */
  readonly reserve: number | 'standard'
}

/** Room on the fuller of the two devices, as librarians tell it. */
export async function measureSpace(
  root: string,
  staging: string,
  { fullFraction, reserve }: SpaceOptions,
): Promise<{ readonly free: number; readonly total: number }> {
  const [store, staged] = await Promise.all([statfs(root), statfs(staging)])
  const usable = [store, staged].map(device => freeOf(device) - totalOf(device) * (1 - fullFraction))
  usable.push(freeOf(store) - reserveOf(totalOf(store), reserve))
  return { free: Math.max(0, Math.trunc(Math.min(...usable))), total: totalOf(store) }
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
