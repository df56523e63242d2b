import { ancestorsOf } from '../../catalogue/nested-names.ts'

/**
 * Directories that are one tree each: they hold files, no directory, and nothing that is known otherwise.
 *
 * @param files all files that nothing is known of
 * @param occupied directories in which a directory lies, or something known
 */
export function findTrees(files: readonly string[], occupied: ReadonlySet<string>): string[] {
  const parents = new Set(files.flatMap(name => ancestorsOf(name).at(-1) ?? []))
  const holdsDirectory = new Set(files.flatMap(name => ancestorsOf(name).slice(0, -1)))
  return [...parents].filter(parent => !occupied.has(parent) && !holdsDirectory.has(parent)).sort()
}
