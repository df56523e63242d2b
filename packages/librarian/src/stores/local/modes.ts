/** What a committed file may be done with (reliability 7.16). */
export interface Modes {
  readonly file: number
  readonly directory: number
  /** Set on everything that is committed, where the system lets us; undefined: as it comes. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
}

/** While it is ours alone. */
export const PRIVATE_DIRECTORY_MODE = 0o700

/**
 * The top of a private tree, which its owner must be able to write or it could not be moved to its name. The sticky bit tells it
 * from any other directory, should we end between its name and its last mode: it is a committed tree by then.
 */
export const PRIVATE_TREE_MODE = 0o1700

/** Directories above files. That their owner may write tells them from committed trees. */
export const PARENT_MODE = 0o755

/** Nothing is put into a committed tree, and this is how one is known without the catalogue. */
export function isCommittedTree(mode: number): boolean {
  return (mode & 0o200) === 0 || (mode & 0o7777) === PRIVATE_TREE_MODE
}
