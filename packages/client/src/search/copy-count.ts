import type { FoundFile } from './search-files.ts'

/** What copies of a file are worth, as far as the librarian has told. */
export interface CopyCount {
  /** Copies at the librarian that are in use. */
  readonly here: number
  /** Those of them that no full read has shown to be damaged or gone. */
  readonly good: number
}

type Copy = Pick<FoundFile['instances'][number], 'available' | 'state'>

/** Older librarians tell no states: there every copy in use counts as good. */
export function countCopies({ instances }: { readonly instances: readonly Copy[] }): CopyCount {
  const here = instances.filter(({ available }) => available)
  return { here: here.length, good: here.filter(copy => !isDamaged(copy)).length }
}

/** Whether a full read has shown that it is not what it must be. */
export function isDamaged({ state }: Pick<Copy, 'state'>): boolean {
  return ['mismatch', 'missing', 'unreadable'].includes(state ?? '')
}
