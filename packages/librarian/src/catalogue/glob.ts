/**
 * Globs over names: `*` is any run of characters, also of slashes, `?` is one; everything else is itself. Both databases match
 * them in time that grows with name times glob, never worse.
 */
import { LibrarianError } from '@arriero/api/errors'

/** The same glob with runs of stars made one. Refuses what no name could match for its length. */
export function cleanGlob(glob: string): string {
  const clean = glob.replace(/\*{2,}/g, '*')
  if (clean.length > 0 && clean.length <= 512) return clean
  throw new LibrarianError(
    'BadRequest',
    `Cannot search by this pattern: it must have 1 to 512 characters, and has ${clean.length}`,
  )
}

/** What every match begins with. */
export function literalPrefix(glob: string): string {
  return /^[^*?]*/.exec(glob)![0]
}

/** Above every text that begins with `prefix`, in the order of bytes. */
export function endOfPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`
}
