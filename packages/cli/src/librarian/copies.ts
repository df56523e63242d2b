/** How the copies of a file are told: one that is damaged must not look like one that is there. */
import type { CopyCount, FoundFile } from './client.ts'

/** `2`, or `2, 1 good`, or `1, none good`. */
export function shownCopies({ here, good }: CopyCount): string {
  if (here === good) return String(here)
  return `${here}, ${good === 0 ? 'none' : good} good`
}

/** `ok`, `MISMATCH`, `not available`; `available` where an older librarian says no more. */
export function shownState({ available, state }: FoundFile['instances'][number]): string {
  const isFine = !state || state === 'ok' || state === 'never-checked'
  if (!isFine) return available ? state.toUpperCase() : `${state.toUpperCase()}, not available`
  return available ? (state ?? 'available') : 'not available'
}
