/** One entry of an archive: a regular file, or a directory. There is nothing else in ours. */
export interface ArchiveEntry {
  /** Relative, `/`-separated, without a slash at its end. */
  readonly path: string
  readonly type: 'file' | 'directory'
  /** Of a directory 0. */
  readonly size: number
}

/** Headers and data lie at multiples of this; an archive ends with two blocks of zeros. */
export const BLOCK = 512

export function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}
