import { cutName } from './bytes.ts'
import { replaceUnsafeCharacters } from './characters.ts'
import { isReservedName } from './reserved.ts'
import { pathProblem } from './target.ts'

export interface SafePathOptions {
  /** Put `_` where a name would be refused. Default false. */
  readonly rewrite?: boolean | undefined
  /** Replace what Windows does not take, too: `< > : " | ? *`. Default false. */
  readonly portable?: boolean | undefined
}

/** A path that `resolveTarget` accepts, possibly empty; or why there is none, as the end of a sentence. */
export type SafePath = { readonly path: string } | { readonly problem: string }

const SEPARATOR = /[/\\]/
const PLAIN = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/

/**
 * A relative path out of an outside name, in the order of gen3 8.2: Unicode NFC; segments between `/` and `\`, without
 * empty ones and `.`; refused for `..`, an absolute path, a drive letter, UNC and NUL; `_` for control and bidi
 * characters, trailing dots and blanks, and before reserved device names; each segment at most 255 bytes, its extension kept.
 *
 * @example
 * ```ts
 * safePath('run 1//a\\b.fits') // { path: 'run 1/a/b.fits' }
 * safePath('../a') // { problem: 'it must not contain ".." as a segment' }
 * safePath('../a', { rewrite: true }) // { path: '_/a' }
 * ```
 */
export function safePath(name: string, { rewrite = false, portable = false }: SafePathOptions = {}): SafePath {
  const normal = PLAIN.test(name) ? name : name.toWellFormed().normalize('NFC')
  const problem = rewrite ? undefined : rootProblem(normal)
  if (problem !== undefined) return { problem }
  const rooted = rewrite ? withoutRoot(normal) : normal
  const segments: string[] = []
  for (const segment of rooted.split(SEPARATOR)) {
    if (segment === '' || segment === '.') continue
    if (segment === '..' && !rewrite) return { problem: 'it must not contain ".." as a segment' }
    segments.push(segment === '..' ? '_' : safeSegment(segment, portable))
  }
  // What stood behind `./` begins the path now.
  const path = rewrite ? withoutRoot(segments.join('/')) : segments.join('/')
  const rest = path === '' ? undefined : pathProblem(path)
  return rest === undefined ? { path } : { problem: rest }
}

/** What says where a path begins, or ends a C string: never part of a name. */
function rootProblem(name: string): string | undefined {
  if (/^[/\\]{2}/.test(name)) return 'it must be relative, got a UNC path'
  if (/^[/\\]/.test(name)) return 'it must be relative, got an absolute path'
  if (/^[a-z]:/i.test(name)) return 'it must not begin with a drive letter'
  return name.includes('\0') ? 'it must not contain NUL' : undefined
}

function withoutRoot(name: string): string {
  return name
    .replace(/^[/\\]+/, '_')
    .replace(/^([a-z]):/i, '$1_')
    .replace(/^~/, '_')
}

function safeSegment(segment: string, portable: boolean): string {
  const clean = replaceUnsafeCharacters(segment, '_')
  const plain = withoutBareEnd(portable ? clean.replace(/[<>:"|?*]/g, '_') : clean)
  return withoutBareEnd(cutName(isReservedName(plain) ? `_${plain}` : plain))
}

/** Windows drops trailing dots and blanks, so two names would become one. */
function withoutBareEnd(segment: string): string {
  const end = segment.charCodeAt(segment.length - 1)
  return end === 0x2e || end === 0x20 ? segment.replace(/[. ]+$/, run => '_'.repeat(run.length)) : segment
}
