import { findAt } from '../download/find-copies.ts'
import type { Librarian } from '../librarian.ts'
import { isPattern } from './pattern.ts'
import { searchFiles } from './search-files.ts'

/** Options of `hintFor()`. */
export interface HintOptions {
  /** The name is no pattern, whatever is in it. Default false. */
  readonly isLiteral?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** Of a name or pattern that nothing has: what was probably meant, as sentences; undefined where nobody knows. */
export async function hintFor(
  librarian: Librarian,
  name: string,
  { isLiteral = false, signal }: HintOptions = {},
): Promise<string | undefined> {
  if (!isLiteral && isPattern(name)) return treeHint(librarian, name, signal)
  const base = name.replace(/\/+$/, '')
  if (base === '') return undefined
  const whole = base === name ? undefined : await findAt(librarian, base, signal)
  if (whole) return `It is the name of a ${whole.kind ?? 'file'} without the slash at its end: ${base}`
  const nothing =
    base === name
      ? undefined
      : `A name never ends with a slash; '${base}/**' stands for what lies below, and nothing does.`
  // With a wildcard of its own it would stand for more than itself.
  if (isPattern(base)) return nothing
  for await (const _ of searchFiles(librarian, { name: `${base}/**` }, { limit: 1, pageSize: 20, signal })) {
    return `Names begin with ${base}/: '${base}/**' stands for them, and \`arriero list ${base}\` shows them.`
  }
  return nothing
}

/** A pattern is compared with names at the librarian, and what is in a tree has none of its own. */
async function treeHint(
  librarian: Librarian,
  pattern: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const fixed = pattern.slice(0, pattern.search(/[*?]/))
  for (let at = fixed.lastIndexOf('/'); at > 0; at = fixed.lastIndexOf('/', at - 1)) {
    const file = await findAt(librarian, fixed.slice(0, at), signal)
    if (!file) continue
    if (file.kind !== 'tree') return undefined
    const inside = fixed.slice(0, fixed.lastIndexOf('/'))
    return `${file.name} is a tree, and patterns stop at trees: \`arriero list ${inside}\` shows what is in it. Take it whole, or its files by their names.`
  }
  return undefined
}
